-- The function and the trigger that write an event for each row that one operation of one event trigger changes.
-- A template: the names in braces are filled in, quoted, by event_triggers.py.

create or replace function hdb_catalog.{function}() returns trigger language plpgsql as $capture$
declare
  changed boolean := true;
begin
  if tg_op = 'UPDATE' then
    begin
      changed := row({watched_old}) is distinct from row({watched_new});
    exception when undefined_function then -- a type without equality, such as json: compare the stored bytes
      changed := row({watched_old})::record *<> row({watched_new})::record;
    end;
  end if;
  if changed then
    perform hdb_catalog.insert_event_log(
      {schema_name}, {table_name}, {trigger_name}, tg_op,
      json_build_object('old', {old}, 'new', {new})
    );
  end if;
  return null;
end
$capture$;

create or replace trigger {function} after {operation} on {table}
  for each row execute function hdb_catalog.{function}();
