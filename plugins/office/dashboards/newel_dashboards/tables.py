"""Boards of a company's own: each a set of tiles. Where there is one of the same code, it takes the place of the one that comes along."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_dashboards.boards import COMPARED, SHOWS, check_board, check_tile


class Board(Table, tablename="dashboards_board"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=20)
    name = Varchar(length=60)
    uq_dashboards_board = Unique(["company", "code"])


class Tile(Table, tablename="dashboards_tile"):
    id = Id()
    board = ref(Board, cascade=True)
    position = Long(default=10)
    title = Varchar(length=60)
    source = Varchar(length=60)
    parameters = Varchar(length=400)
    show = Varchar(length=10, default="figure")
    figure = Varchar(length=40)
    names = Varchar(length=40)
    compare = Varchar(length=10)


TABLES = (Board, Tile)
RECORDS = (
    RecordKind(
        name="dashboards.board", table=Board, label="Dashboard", label_plural="Own dashboards", title=("code", "name"), search=("code", "name"),
        menu="Administration",
        internal=True, check=check_board, help="Figures and charts on one page. One with the code of a dashboard that comes along takes its place.",
        fields=(Field(name="code", label="Code", required=True, list=True, help="In the address: small letters and digits."),
                Field(name="name", label="Name", required=True, list=True)),
    ),
    RecordKind(
        name="dashboards.tile", table=Tile, label="Tile", label_plural="Tiles", title=("title",), parent="board", scope="", internal=True, check=check_tile,
        fields=(
            Field(name="position", label="Position", list=True), Field(name="title", label="Title", required=True, list=True),
            Field(name="source", label="Report or document kind", required=True, list=True, help="Its name, such as newel.open_items or sales.order."),
            Field(name="parameters", label="Parameters", list=True,
                  help="As in the address: date_from=@month&by=item. @today, @month, @quarter, @year, @end, @30 (days ago) move on."),
            Field(name="show", label="Shown as", required=True, choices=SHOWS, list=True),
            Field(name="figure", label="Column that is added up", help="Of the report; empty to count the rows."),
            Field(name="names", label="Column that names the rows", help="Of a chart."),
            Field(name="compare", label="Compare with", choices=COMPARED, required=False),
        ),
    ),
)  # fmt: skip
