//! The files of `fixtures/`, for tests. Those that we write are compared, or written anew with `UPDATE_FIXTURES=1`.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Name and text of every JSON file of a folder, in order.
pub(crate) fn read(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(root().join(folder))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("a text"))).collect()
}

/// A frame that we send is, byte for byte, what stands in the fixture (but for its layout).
pub(crate) fn check(file: &str, frame: &str) {
    let path = root().join(file);
    let value: serde_json::Value = serde_json::from_str(frame).expect("a frame is JSON");
    let pretty = serde_json::to_string_pretty(&value).expect("JSON") + "\n";
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(&path, pretty).expect("written");
        return;
    }
    let expect = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(pretty, expect, "{file} differs; if it should, run with UPDATE_FIXTURES=1");
}
