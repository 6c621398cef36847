"""Names of standard libraries, runtimes and common packages, by which a frame is told from the application's."""

from __future__ import annotations

import re

# The first elements of Go's own packages: an application's module may have a name without a dot as well.
GO_STANDARD = frozenset(
    re.split(
        r"\s+",
        """archive bufio builtin bytes cmp compress container context crypto database debug embed encoding errors expvar
        flag fmt go golang.org hash html image index internal io iter log maps math mime net os panic path plugin
        reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique unsafe
        vendor weak""",
    )
)

# Rust's own crates, and those under most servers.
RUST_CRATES = frozenset(
    re.split(
        r"\s+",
        """__clone __libc_start_call_main __libc_start_main __rust_try _start actix actix_http actix_rt actix_web alloc
        anyhow async_global_executor async_std axum backtrace bytes clap clone clone3 color_eyre core crossbeam diesel
        env_logger eyre futures futures_core futures_executor futures_util h2 http hyper hyper_util log main mio mongodb
        native_tls once_cell openssl parking_lot r2d2 rayon rayon_core redis reqwest rocket rust_begin_unwind rust_panic
        rustls serde serde_json sqlx sqlx_core start_thread std test tokio tonic tower tower_http tracing tracing_core
        tracing_subscriber url warp""",
    )
)

# Applications of Erlang and Elixir, and those under most servers.
BEAM_APPLICATIONS = frozenset(
    re.split(
        r"\s+",
        """absinthe absinthe_plug amqp bamboo bandit broadway cachex castore compiler connection cowboy cowlib crypto
        db_connection ecto ecto_sql ecto_sqlite3 elixir ex_aws ex_unit exqlite finch gen_rmq gen_stage gettext goth grpc
        guardian guardian_db gun hackney highlander horde hpax httpoison iex inets jason kernel libcluster logger
        mariaex mint mix myxql nebulex nimble_options nimble_pool oban opentelemetry phoenix phoenix_ecto phoenix_html
        phoenix_live_view phoenix_pubsub phoenix_template plug plug_cowboy plug_crypto poison poolboy postgrex
        public_key quantum ranch redix req sentry ssl stdlib swoosh tds tds_ecto telemetry tesla thousand_island websock
        websock_adapter""",
    )
)
