import type { Database } from 'bun:sqlite'

/** Counts up when tables change: a file of another number is no set that is read here. */
export const SCHEMA_VERSION = 1

/**
 * The tables of a set. A record belongs to the dump that brought it; one that several dumps have is there several times,
 * and the newest counts.
 */
const TABLES = `
create table meta (name text primary key, value text not null) without rowid;
create table dumps (
  name text primary key, source text not null, imported_at integer not null, as_of integer not null
) without rowid;
create table records (
  key integer primary key, dump text not null, id text not null, modified integer not null, crc integer not null,
  facts_hash text not null, severity text not null, body blob not null, unique (dump, id)
);
create index records_id on records (id);
create table affected (
  ecosystem text not null, name text not null, record integer not null, entries text not null,
  primary key (ecosystem, name, record)
) without rowid;
create index affected_record on affected (record);
create table names (id text not null, record integer not null, is_flaw integer not null, primary key (id, record)) without rowid;
create index names_record on names (record);
create table known_exploited (cve text primary key, added_on text not null, due_on text, ransomware integer not null) without rowid;
create table ecosystems (
  ecosystem text primary key, record_count integer not null, newest_modified integer not null,
  as_of integer not null, imported_at integer not null
) without rowid;
create table changes (revision integer not null, ecosystem text not null, name text not null, primary key (revision, ecosystem, name)) without rowid;
create table changed_flaws (id text primary key) without rowid;
`

/** Makes the tables in an empty file. */
export function createTables(database: Database): void {
  database.exec(TABLES)
  putMeta(database, 'schema', String(SCHEMA_VERSION))
  putMeta(database, 'revision', '0')
}

export function readMeta(database: Database, name: string): string | undefined {
  const row = database.query<{ value: string }, [string]>('select value from meta where name = ?').get(name)
  return row?.value
}

export function putMeta(database: Database, name: string, value: string): void {
  database.query('insert or replace into meta (name, value) values (?, ?)').run(name, value)
}

export function deleteMeta(database: Database, name: string): void {
  database.query('delete from meta where name = ?').run(name)
}
