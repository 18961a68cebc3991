"""The tables of a library's database, each with the checksums of its rows (`row_sums`)."""

__all__ = ["SCHEMA"]

SCHEMA = """
-- 'sum': of all other columns; of a document, 'numbers' is that of its numbers and 'sum' that of what it says
CREATE TABLE sources (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER, mtime_ns INTEGER, digest TEXT, fields TEXT,
  damaged INTEGER NOT NULL DEFAULT 0,  -- records of it that could not be read
  complete INTEGER,  -- the generation at which all of it was stored; NULL while it is not
  sum INTEGER
);
CREATE INDEX sources_content ON sources(size, digest);  -- where a file came from that was moved
CREATE TABLE documents (
  id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, name TEXT NOT NULL, first INTEGER NOT NULL, passages INTEGER NOT NULL,
  source INTEGER NOT NULL, added INTEGER NOT NULL, removed INTEGER, numbers INTEGER NOT NULL,
  title TEXT NOT NULL, metadata TEXT, hash BLOB NOT NULL,
  language TEXT  -- in English; '' where the text does not tell, NULL where it was not asked
  -- last what is long: a row is read up to the last column asked for
);
CREATE INDEX documents_name ON documents(name);
CREATE INDEX documents_source ON documents(source);
CREATE INDEX documents_removed ON documents(removed) WHERE removed IS NOT NULL;
CREATE INDEX documents_added ON documents(added);
CREATE TABLE texts (
  document INTEGER PRIMARY KEY,
  sum INTEGER NOT NULL,  -- of the text in the lower 32 bits, of the places above
  places,  -- where each span of the text is, and what of it is hidden: see documents/places.py
  text TEXT NOT NULL
);
CREATE TABLE passages (
  id INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
  sum INTEGER NOT NULL  -- of the passage's text too
);
-- documents that were left out, since they nearly repeat another one: the number of that one, and how many of the 128 values of
-- their signatures are the same
CREATE TABLE copies (
  source INTEGER NOT NULL, name TEXT NOT NULL, original INTEGER NOT NULL, agreeing INTEGER NOT NULL, added INTEGER NOT NULL,
  removed INTEGER, sum INTEGER NOT NULL
);
CREATE INDEX copies_source ON copies(source, name);
CREATE INDEX copies_original ON copies(original);
-- 'generation': the newest that this database holds whole; 'id': the library's; 'purged': rows removed by this generation are
-- deleted; 'unpurged' and 'unpurged since': rows removed by this generation are to be, since when readers are waited for;
-- 'mounts': folders and where their disks are mounted (mounts.py)
CREATE TABLE state (key TEXT PRIMARY KEY, value, sum INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE metadata (key TEXT, value, document INTEGER, PRIMARY KEY (key, value, document)) WITHOUT ROWID;
-- how many rows of 'metadata' each key has, and the sum of their checksums
CREATE TABLE fields (key TEXT PRIMARY KEY, rows INTEGER NOT NULL, total INTEGER NOT NULL) WITHOUT ROWID;
-- how many documents each generation removed that are not deleted yet, and the sum of their 'numbers'
CREATE TABLE removals (generation INTEGER PRIMARY KEY, documents INTEGER NOT NULL, total INTEGER NOT NULL);
"""
