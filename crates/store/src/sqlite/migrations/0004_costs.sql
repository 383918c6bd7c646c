CREATE TABLE costs (
    place INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    state TEXT NOT NULL,
    crc   INTEGER NOT NULL,
    body  TEXT NOT NULL
) STRICT;
CREATE INDEX costs_by_owner ON costs (owner);
CREATE INDEX costs_by_state ON costs (state);

-- What was called before is in the journal, with its turn beside it.
INSERT INTO costs (place, owner, state, crc, body)
SELECT place, owner, state, crc32(body), body FROM (
    SELECT
        call.place AS place,
        call.body ->> '$.data.member' AS owner,
        iif(call.body ->> '$.data.cost_usd' IS NULL, 'unpriced', 'priced') AS state,
        json_object('table', 'cost', 'row', json_patch(
            json_object(
                'number', call.body -> '$.seq',
                'turn', call.body ->> '$.data.turn',
                'member', call.body ->> '$.data.member',
                'profile', begun.body ->> '$.data.profile',
                'model', call.body ->> '$.data.model',
                'at', call.body ->> '$.time',
                'usage', call.body -> '$.data.usage'
            ),
            iif(
                call.body ->> '$.data.cost_usd' IS NULL,
                '{}',
                json_object('cost_usd', call.body -> '$.data.cost_usd')
            )
        )) AS body
    FROM events AS call
    JOIN events AS begun ON begun.place = (call.place >> 40 << 40) + call.turn
    WHERE call.kind IN ('model.replied', 'session.compacted') AND begun.kind = 'turn.started'
);

UPDATE turns SET body = (
    SELECT json_set(
        turns.body,
        '$.row.profile', begun.body ->> '$.data.profile',
        '$.row.model', begun.body ->> '$.data.model'
    )
    FROM events AS begun WHERE begun.place = turns.place
)
WHERE EXISTS (
    SELECT 1 FROM events AS begun
    WHERE begun.place = turns.place AND begun.kind = 'turn.started'
);
UPDATE turns SET crc = crc32(body);
