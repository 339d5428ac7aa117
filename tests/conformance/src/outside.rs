//! The server of the suite of `Http`: it says what it was asked, or does what a service does on a bad day.

use std::io::{Read as _, Result, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A request of the suite is not longer.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// Whoever asked has given up by then.
const NEVER: Duration = Duration::from_mins(1);

/// Answers whoever comes to `listener`, by path, until the process ends.
pub fn serve(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who hangs up in the middle is done.
            thread::spawn(move || drop(answer(stream)));
        }
    });
}

/// Reads a request with its body, whose length it must say.
fn read(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut part = [0; 16 * 1024];
    loop {
        if let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length = length.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
            if request.len() >= end + 4 + length {
                return Ok(request);
            }
        }
        let read = stream.read(&mut part)?;
        if read == 0 || request.len() > MAX_REQUEST_BYTES {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&part[..read]);
    }
}

fn answer(mut stream: TcpStream) -> Result<()> {
    let request = read(&mut stream)?;
    let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut parts = path.trim_start_matches('/').split(['/', '?']);
    let (word, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let number = number.parse::<usize>().unwrap_or_default();
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{more}\r\n");
    let counted = |bytes: usize| (0..bytes).map(|at| at as u8).collect::<Vec<_>>();
    match word {
        "echo" => {
            stream.write_all(head("200 OK", &format!("Content-Length: {}\r\n", request.len())).as_bytes())?;
            stream.write_all(&request)
        }
        "status" => {
            // One that is followed leads to an answer that no case expects.
            let more = match number {
                204 => "",
                302 | 307 => "Location: /echo\r\nContent-Length: 0\r\n",
                _ => "Content-Length: 0\r\n",
            };
            stream.write_all(head(&format!("{number} Status"), more).as_bytes())
        }
        "bytes" => {
            stream.write_all(head("200 OK", &format!("Content-Length: {number}\r\n")).as_bytes())?;
            stream.write_all(&counted(number))
        }
        "unsaid" => {
            stream.write_all(head("200 OK", "").as_bytes())?;
            stream.write_all(&counted(number))
        }
        "endless" => {
            stream.write_all(head("200 OK", "").as_bytes())?;
            loop {
                stream.write_all(&[b'x'; 16 * 1024])?;
            }
        }
        "half" => {
            stream.write_all(head("200 OK", "Content-Length: 100\r\n").as_bytes())?;
            stream.write_all(&counted(50))?;
            thread::sleep(NEVER);
            Ok(())
        }
        "broken" => {
            stream.write_all(head("200 OK", "Content-Length: 100\r\n").as_bytes())?;
            stream.write_all(&counted(50))
        }
        "hang-up" => Ok(()),
        _ => {
            thread::sleep(NEVER);
            Ok(())
        }
    }
}
