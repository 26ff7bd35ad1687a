"""The plugin's Piccolo app: its tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from newel_delivery_dates.tables import TABLES

APP_CONFIG = AppConfig(
    app_name="newel_delivery_dates",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=list(TABLES),
    migration_dependencies=["newel.piccolo_app"],
)
