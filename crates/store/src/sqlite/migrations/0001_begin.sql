-- A place is the number of the mob times 2^40 plus a position in its journal. As the key of one
-- tree it keeps each journal together and in order, with one tree to write instead of two.

CREATE TABLE mobs (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    epoch  INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    head   INTEGER NOT NULL
) STRICT;

CREATE TABLE events (
    place   INTEGER PRIMARY KEY,
    time    INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    source  TEXT NOT NULL,
    subject TEXT NOT NULL,
    turn    INTEGER,
    crc     INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_subject ON events (subject);

CREATE TABLE messages (
    place  INTEGER PRIMARY KEY,
    member TEXT NOT NULL,
    state  TEXT NOT NULL,
    crc    INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT;
CREATE INDEX messages_by_member ON messages (member);
CREATE INDEX messages_by_state ON messages (state);

CREATE TABLE turns (
    place  INTEGER PRIMARY KEY,
    member TEXT NOT NULL,
    state  TEXT NOT NULL,
    crc    INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT;
CREATE INDEX turns_by_member ON turns (member);
CREATE INDEX turns_by_state ON turns (state);

CREATE TABLE snapshots (
    mob  INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    crc  INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (mob, seq)
) STRICT;

CREATE TABLE cursors (
    mob      INTEGER NOT NULL,
    consumer TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (mob, consumer)
) STRICT, WITHOUT ROWID;
