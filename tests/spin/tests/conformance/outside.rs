//! A server that the component asks: polite, slow, endless, or pointing elsewhere.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Listens where the probe's manifest allows it, and answers by path.
pub(crate) async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    // The body is four bytes long and comes last.
    while !head.ends_with(b"ping") {
        let mut part = [0; 1024];
        match stream.read(&mut part).await? {
            0 => return Ok(()),
            read => head.extend_from_slice(part.get(..read).unwrap_or_default()),
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let head_only = |status: &str| format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    if head.starts_with("post /polite ") {
        let good = head.contains("\r\ncontent-length: 4\r\n") && head.contains("\r\nx-probe: yes\r\n");
        let body = if good { "pong" } else { "odd" };
        let answer = format!("{}content-length: {}\r\n\r\n{body}", head_only("200 OK"), body.len());
        stream.write_all(answer.as_bytes()).await
    } else if head.starts_with("post /teapot ") {
        stream
            .write_all(format!("{}content-length: 0\r\n\r\n", head_only("418 I'm a teapot")).as_bytes())
            .await
    } else if head.starts_with("post /elsewhere ") {
        let to = "location: /polite\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(format!("{}{to}", head_only("302 Found")).as_bytes()).await
    } else if head.starts_with("post /endless ") {
        stream.write_all(format!("{}\r\n", head_only("200 OK")).as_bytes()).await?;
        loop {
            stream.write_all(&[b'x'; 16 * 1024]).await?;
        }
    } else {
        // Never: the other side must give up.
        tokio::time::sleep(Duration::from_mins(10)).await;
        Ok(())
    }
}
