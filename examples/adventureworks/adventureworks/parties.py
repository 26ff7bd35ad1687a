"""Customers and vendors with their addresses, as rows for the records service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adventureworks.source import Source

RESELLER, INDIVIDUAL, VENDOR = "RESELLER", "INDIVIDUAL", "VENDOR"
KINDS = {"Main Office": "main", "Shipping": "shipping", "Billing": "billing"}
Row = dict[str, Any]


def records(source: Source, terms: str) -> Iterator[tuple[str, list[Row]]]:
    """Classes, parties and addresses, in the order in which they refer to each other."""
    names = {RESELLER: "Resellers", INDIVIDUAL: "Individuals", VENDOR: "Vendors"}
    yield "newel.party_class", [{"code": code, "name": name} for code, name in names.items()]
    customers, vendors = list(source.rows("Customer")), list(source.rows("Vendor"))
    people, stores = source.by("Individual", "CustomerID"), source.by("Store", "BusinessEntityID")
    yield "newel.party", [*(_customer(r, people, stores, terms) for r in customers), *map(_vendor, vendors)]
    owners = {r["StoreID"]: r["AccountNumber"] for r in customers if not r["PersonID"]}
    owners |= {r["BusinessEntityID"]: r["AccountNumber"] for r in vendors}
    yield "newel.address", [*map(_home, people.values()), *_offices(source, owners)]


def _customer(r: Mapping[str, str], people: Mapping[str, Mapping[str, str]], stores: Mapping[str, Mapping[str, str]], terms: str) -> Row:
    """A person, a store, or somebody who buys for a store; names of the last are not published."""
    if r["StoreID"]:
        store = stores[r["StoreID"]]["Name"]
        name, party_class = (f"{store} (contact)" if r["PersonID"] else store), RESELLER
    else:
        person = people[r["CustomerID"]]
        name = " ".join(person[part] for part in ("Title", "FirstName", "MiddleName", "LastName", "Suffix") if person[part])
        party_class = INDIVIDUAL
    return {"number": r["AccountNumber"], "name": name, "party_class": party_class, "is_customer": True, "currency": "USD", "terms": terms}


def _vendor(r: Mapping[str, str]) -> Row:
    return {
        "number": r["AccountNumber"], "name": r["Name"], "party_class": VENDOR, "is_customer": False, "is_vendor": True, "currency": "USD",
        "terms": "NET30", "active": r["ActiveFlag"] == "1",
    }  # fmt: skip


def _home(r: Mapping[str, str]) -> Row:
    return {
        "party": r["AccountNumber"], "kind": "main", "street": _street(r), "postcode": r["PostalCode"], "city": r["City"],
        "region": r["StateProvinceCode"].strip(), "country": r["CountryRegionCode"],
    }  # fmt: skip


def _offices(source: Source, owners: Mapping[str, str]) -> Iterator[Row]:
    """Addresses of stores and vendors; those of employees and individuals stand elsewhere."""
    types = {r["AddressTypeID"]: KINDS.get(r["Name"], "main") for r in source.rows("AddressType")}
    addresses, states = source.by("Address", "AddressID"), source.by("StateProvince", "StateProvinceID")
    for r in source.rows("BusinessEntityAddress"):
        if r["BusinessEntityID"] in owners:
            address = addresses[r["AddressID"]]
            state = states[address["StateProvinceID"]]
            yield {
                "party": owners[r["BusinessEntityID"]], "kind": types[r["AddressTypeID"]], "street": _street(address),
                "postcode": address["PostalCode"], "city": address["City"], "region": state["StateProvinceCode"].strip(),
                "country": state["CountryRegionCode"],
            }  # fmt: skip


def _street(r: Mapping[str, str]) -> str:
    return ", ".join(part for part in (r["AddressLine1"], r["AddressLine2"]) if part)
