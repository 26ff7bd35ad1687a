from newel_sdk.conformance import check_plugin

test_conformance = check_plugin("delivery_dates")
