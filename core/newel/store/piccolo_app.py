"""The kernel's Piccolo app: its tables and migrations."""

import os

from piccolo.conf.apps import AppConfig

from newel.store.tables_document import DOCUMENTS
from newel.store.tables_master import MASTER

APP_CONFIG = AppConfig(
    app_name="newel",
    migrations_folder_path=os.path.join(os.path.dirname(os.path.abspath(__file__)), "migrations"),
    table_classes=[*MASTER, *DOCUMENTS],
    migration_dependencies=[],
)
