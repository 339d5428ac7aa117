//! Takes the white space out of the OpenAPI document: it is reviewed as it lies in the repository, and carried by every isolate without.

use std::path::Path;
use std::{env, fs, io};

const DOCUMENT: &str = "openapi.json";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let (mut quoted, mut escaped) = (false, false);
    let compact: String = fs::read_to_string(DOCUMENT)?
        .chars()
        .filter(|next| {
            let stays = quoted || !next.is_ascii_whitespace();
            (quoted, escaped) = match next {
                _ if escaped => (quoted, false),
                '\\' => (quoted, true),
                '"' => (!quoted, false),
                _ => (quoted, false),
            };
            stays
        })
        .collect();
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join(DOCUMENT), compact)
}
