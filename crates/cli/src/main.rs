//! The binary `mobkit`.

fn main() -> std::process::ExitCode {
    mobkit_cli::main()
}
