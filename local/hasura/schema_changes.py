"""What a change of the database's schema means for the metadata: Hasura's check of ``run_sql``.

Not emulated: Hasura follows a renamed table, column or function in its metadata. Here the old one counts as dropped.
"""

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.postgres_catalog import Catalog
from local.hasura.inconsistencies import InconsistentObject
from local.hasura.metadata import Metadata, function_of, table_of


def refuse_overloads(metadata: Metadata, after: Catalog) -> None:
    """Raises HasuraError ``not-supported`` when a tracked function has become ambiguous."""
    tracked = [function_of(entry) for entry in metadata.functions]
    overloaded = [f'"{name}"' for name in tracked if len(after.functions.get(name, [])) > 1]
    if overloaded:
        names = ", ".join(overloaded)
        raise HasuraError("not-supported", f"the following tracked function(s) cannot be overloaded: {names}")


def without_dropped(metadata: Metadata, before: Catalog, after: Catalog) -> Metadata:
    """The metadata without the tables and functions that were dropped, and with those that were missing before."""
    if not metadata.database:
        return metadata
    tables = [
        entry
        for entry in metadata.tables
        if table_of(entry) in after.relations or table_of(entry) not in before.relations
    ]
    functions = [
        entry
        for entry in metadata.functions
        if function_of(entry) in after.functions or function_of(entry) not in before.functions
    ]
    return metadata.with_tables(tables).with_functions(functions)


def has_lost_parts(metadata: Metadata, before: Catalog, after: Catalog) -> bool:
    """Whether a tracked table was dropped, or has lost a column or a foreign key."""
    for entry in metadata.tables:
        name = table_of(entry)
        if name not in before.relations:
            continue
        old, new = before.relations[name], after.relations.get(name)
        if new is None or old.columns.keys() - new.columns.keys() or set(old.foreign_keys) - set(new.foreign_keys):
            return True
    return False


def dependency_error(dependents: list[InconsistentObject]) -> HasuraError:
    """The refusal to drop what these parts of the metadata depend on."""
    names = ", ".join(one.name.replace("_", " ", 1) for one in dependents)
    return HasuraError("dependency-error", f"cannot drop due to the following dependent objects : {names}")
