CREATE TABLE approvals (
    place  INTEGER PRIMARY KEY,
    member TEXT NOT NULL,
    state  TEXT NOT NULL,
    crc    INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_by_member ON approvals (member);
CREATE INDEX approvals_by_state ON approvals (state);
