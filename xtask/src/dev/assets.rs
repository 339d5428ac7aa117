//! The dashboard as `cargo xtask dev` serves it: what was built, and where the simulated telephone is rung. That is written into the page
//! and its policy here and nowhere else, so that nothing of it is in what is deployed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::dashboard::{self, PAGE};

/// What `src/simulator.ts` looks for.
const META: &str = "voicecore-simulator";
const HEADERS: &str = "_headers";
const WORKER: &str = "app/service-worker.js";
/// How the worker's list begins to say which hash the page was built with.
const PAGE_HASH: &str = "\"/app/\":\"";
const OWN_SERVER_ONLY: &str = "connect-src 'self'";

/// How the names of packed files end, which lie beside what they were made of (functions/dashboard/pack.mjs).
const PACKED: [&str; 2] = [".br", ".gz"];

/// Makes `folder` a copy of `dist`, or of what was packed of it, that knows the simulator at `url`.
pub(super) fn with_simulator(dist: &Path, folder: &Path, url: &str) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    for file in dashboard::files(dist)? {
        let name = file.strip_prefix(dist)?;
        let copy = folder.join(name);
        fs::create_dir_all(copy.parent().unwrap_or(folder))?;
        if name == Path::new(PAGE) {
            fs::write(&copy, told(&fs::read_to_string(&file)?, url)?)?;
        } else if name == Path::new(HEADERS) {
            fs::write(&copy, let_ask(&fs::read_to_string(&file)?, url)?)?;
        } else if name == Path::new(WORKER) {
            fs::write(&copy, unchecked(&fs::read_to_string(&file)?, url)?)?;
        } else if !is_outdated(name) {
            fs::copy(&file, &copy).with_context(|| format!("copying {}", file.display()))?;
        }
    }
    Ok(())
}

/// Whether something was packed that is another here.
fn is_outdated(name: &Path) -> bool {
    let Some(name) = name.to_str() else { return false };
    PACKED.iter().filter_map(|end| name.strip_suffix(end)).any(|of| of == PAGE || of == WORKER)
}

fn told(page: &str, url: &str) -> Result<String> {
    let Some((head, rest)) = page.split_once("</head>") else { bail!("{PAGE} has no head") };
    Ok(format!("{head}<meta name=\"{META}\" content=\"{url}\"></head>{rest}"))
}

/// The page is not the one that was built: its hash is not asked for. With another simulator it is another worker, which keeps the page afresh.
fn unchecked(worker: &str, url: &str) -> Result<String> {
    let parts = worker.split_once(PAGE_HASH).and_then(|(head, rest)| Some((head, rest.split_once('"')?.1)));
    let Some((head, rest)) = parts else { bail!("{WORKER} has no hash of the page") };
    Ok(format!("// {url}\n{head}{PAGE_HASH}\"{rest}"))
}

fn let_ask(headers: &str, url: &str) -> Result<String> {
    if !headers.contains(OWN_SERVER_ONLY) {
        bail!("{HEADERS} has no {OWN_SERVER_ONLY}");
    }
    Ok(headers.replace(OWN_SERVER_ONLY, &format!("{OWN_SERVER_ONLY} {url}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proc::root;

    const URL: &str = "http://127.0.0.1:4711";

    #[test]
    fn only_what_dev_serves_knows_a_simulator() {
        let source = root().join(dashboard::DIRECTORY);
        let page = fs::read_to_string(source.join(PAGE)).unwrap();
        let headers = fs::read_to_string(source.join("public").join(HEADERS)).unwrap();
        assert!(!page.contains(META), "the page that is deployed");
        assert!(headers.contains("connect-src 'self';"), "the policy that is deployed");
        let folder = proc_folder("assets-test");
        let (dist, served) = (folder.join("dist"), folder.join("served"));
        fs::create_dir_all(dist.join("app")).unwrap();
        let packed = [("index.html.br", "old"), ("app/icon.svg.gz", "packed")];
        for (name, text) in
            [(PAGE, page.as_str()), (HEADERS, &headers), ("app/icon.svg", "<svg/>")].into_iter().chain(packed)
        {
            fs::write(dist.join(name), text).unwrap();
        }
        with_simulator(&dist, &served, URL).unwrap();
        let read = |name: &str| fs::read_to_string(served.join(name)).unwrap();
        assert!(read(PAGE).contains(&format!("<meta name=\"{META}\" content=\"{URL}\"></head>")));
        assert!(read(HEADERS).contains(&format!("connect-src 'self' {URL};")));
        assert_eq!(read("app/icon.svg"), "<svg/>");
        assert_eq!(read("app/icon.svg.gz"), "packed");
        assert!(!served.join("index.html.br").exists(), "what was packed of the page that is deployed");
        assert_eq!(fs::read_to_string(dist.join(PAGE)).unwrap(), page, "what was built stays as it is");
    }

    #[test]
    fn a_page_that_has_changed_its_shape_is_not_served_half_told() {
        let worker = "const FILES = {\"/app/\":\"sha256-a=\",\"/app/x.js\":\"sha256-b=\"};";
        let free = unchecked(worker, URL).unwrap();
        assert_eq!(free, format!("// {URL}\nconst FILES = {{\"/app/\":\"\",\"/app/x.js\":\"sha256-b=\"}};"));
        assert!(unchecked("const FILES = {};", URL).is_err());
        assert!(told("<html>", URL).is_err());
        assert!(let_ask("/*\n  Content-Security-Policy: default-src 'none'\n", URL).is_err());
    }

    fn proc_folder(name: &str) -> std::path::PathBuf {
        let folder = crate::proc::work_dir("tests").unwrap().join(name);
        let _ = fs::remove_dir_all(&folder);
        folder
    }
}
