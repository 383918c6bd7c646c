ALTER TABLE messages RENAME COLUMN member TO owner;
DROP INDEX messages_by_member;
CREATE INDEX messages_by_owner ON messages (owner);

ALTER TABLE turns RENAME COLUMN member TO owner;
DROP INDEX turns_by_member;
CREATE INDEX turns_by_owner ON turns (owner);

ALTER TABLE approvals RENAME COLUMN member TO owner;
DROP INDEX approvals_by_member;
CREATE INDEX approvals_by_owner ON approvals (owner);

CREATE TABLE occurrences (
    place INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    crc   INTEGER NOT NULL,
    body  TEXT NOT NULL
) STRICT;
CREATE INDEX occurrences_by_owner ON occurrences (owner);
CREATE INDEX occurrences_by_state ON occurrences (state);

CREATE TABLE deliveries (
    place INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    crc   INTEGER NOT NULL,
    body  TEXT NOT NULL
) STRICT;
CREATE INDEX deliveries_by_owner ON deliveries (owner);
CREATE INDEX deliveries_by_state ON deliveries (state);
