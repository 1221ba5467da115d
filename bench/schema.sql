-- The billing service's tables as the floor and the ceiling need them: the same columns, keys, checks and indexes as the shop's.
DROP TABLE IF EXISTS bench_progress, bench_outbox, bench_transfer, bench_invoice, bench_account;

CREATE TABLE bench_account (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    currency char(3) NOT NULL,
    balance numeric(12, 2) NOT NULL CHECK (balance >= 0),
    last_number bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, currency)
);

CREATE TABLE bench_invoice (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL UNIQUE,
    customer_id uuid NOT NULL,
    amount numeric(12, 2) NOT NULL CHECK (amount > 0),
    currency char(3) NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('paid', 'declined')),
    reason text NOT NULL,
    opened_at timestamptz NOT NULL,
    settled_at timestamptz NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL
);
CREATE INDEX ON bench_invoice (customer_id, id);

CREATE TABLE bench_transfer (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES bench_account,
    invoice_id uuid NOT NULL REFERENCES bench_invoice,
    kind text NOT NULL,
    amount numeric(12, 2) NOT NULL CHECK (amount > 0),
    currency char(3) NOT NULL,
    number bigint NOT NULL,
    balance_after numeric(12, 2) NOT NULL CHECK (balance_after >= 0),
    created_at timestamptz NOT NULL,
    UNIQUE (account_id, number)
);
CREATE INDEX ON bench_transfer (invoice_id);

CREATE TABLE bench_outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text NOT NULL,
    type text NOT NULL,
    time timestamptz NOT NULL,
    event_id text NOT NULL,
    subject uuid NOT NULL,
    key uuid NOT NULL,
    value bytea NOT NULL,
    UNIQUE (destination, event_id)
);

CREATE TABLE bench_progress (
    topic text NOT NULL,
    partition integer NOT NULL,
    owner uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);
