"""Dashboards: figures and charts that lead to the rows behind them, and the analysis of sales and receivables."""
