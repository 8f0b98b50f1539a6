//! The `hotline` program; all of it is in the library.

fn main() -> std::process::ExitCode {
    hotline::cli::run()
}
