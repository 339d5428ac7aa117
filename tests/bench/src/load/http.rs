//! A webhook as Twilio sends it: form-encoded and signed; and the TwiML that comes back.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::LoadConfig;

/// Where TwiML sends the media, and what it wants to be told there.
pub(crate) struct Stream {
    pub(crate) path: String,
    pub(crate) url: String,
    pub(crate) parameters: Vec<(String, String)>,
}

/// `X-Twilio-Signature` of a request: HMAC-SHA1 over the URL and the sorted parameters.
pub(crate) fn signature(auth_token: &str, url: &str, parameters: &[(&str, &str)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let mut text = url.to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    // HMAC takes a key of any length; an empty signature would be refused by the subject.
    Hmac::<Sha1>::new_from_slice(auth_token.as_bytes())
        .map(|mac| STANDARD.encode(mac.chain_update(text).finalize().into_bytes()))
        .unwrap_or_default()
}

fn form(parameters: &[(&str, &str)]) -> String {
    let escape =
        |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

/// Where calls come in, and what Twilio knows of it.
pub(crate) struct Door<'a> {
    /// Where the subject listens: `127.0.0.1:port`.
    pub(crate) app: &'a str,
    /// Origin that webhooks are signed for.
    pub(crate) public_url: &'a str,
    /// Path of the voice webhook.
    pub(crate) webhook: &'a str,
    pub(crate) account_sid: &'a str,
    pub(crate) auth_token: &'a str,
    /// Number that is dialled.
    pub(crate) to: &'a str,
}

impl Door<'_> {
    /// The voice webhook of a call, as it goes over the wire.
    pub(crate) fn voice(&self, call_sid: &str) -> String {
        let parameters = [
            ("AccountSid", self.account_sid),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", call_sid),
            ("CallStatus", "ringing"),
            ("Called", self.to),
            ("Caller", "+15005550199"),
            ("Direction", "inbound"),
            ("From", "+15005550199"),
            ("To", self.to),
        ];
        let url = format!("{}{}", self.public_url, self.webhook);
        let signature = signature(self.auth_token, &url, &parameters);
        let body = form(&parameters);
        format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             X-Twilio-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
            self.webhook,
            self.app,
            body.len()
        )
    }
}

/// Rings: posts the voice webhook and reads the TwiML.
pub(crate) async fn ring(config: &LoadConfig, call_sid: &str) -> anyhow::Result<Stream> {
    let door = Door {
        app: &config.app,
        public_url: &config.public_url,
        webhook: &config.webhook,
        account_sid: &config.account_sid,
        auth_token: &config.auth_token,
        to: &config.to,
    };
    let mut socket = TcpStream::connect(&config.app).await.context("connect to the subject")?;
    socket.write_all(door.voice(call_sid).as_bytes()).await?;
    let (status, body) = read_response(&mut socket).await?;
    if status != 200 {
        bail!("webhook answered {status}: {body}");
    }
    parse(&body)
}

/// Sends a request as it is; anything but 200 is an error.
pub(crate) async fn send(app: &str, request: &str) -> anyhow::Result<()> {
    let mut socket = TcpStream::connect(app).await.context("connect to the subject")?;
    socket.write_all(request.as_bytes()).await?;
    match read_response(&mut socket).await? {
        (200, _) => Ok(()),
        (status, body) => bail!("answered {status}: {body}"),
    }
}

/// Posts JSON and gives the answer's body; anything but a 2xx is an error.
pub(crate) async fn post_json(app: &str, path: &str, body: &str) -> anyhow::Result<String> {
    let mut socket = TcpStream::connect(app).await.context("connect to the subject")?;
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {app}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(request.as_bytes()).await?;
    match read_response(&mut socket).await? {
        (200..=299, answer) => Ok(answer),
        (status, body) => bail!("{path} answered {status}: {body}"),
    }
}

/// The status of a GET.
pub(crate) async fn get_status(app: &str, path: &str) -> anyhow::Result<u16> {
    let mut socket = TcpStream::connect(app).await?;
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: {app}\r\n\r\n").as_bytes()).await?;
    Ok(read_response(&mut socket).await?.0)
}

/// Reads one response by its Content-Length or its chunks (workerd keeps the connection open).
async fn read_response(socket: &mut TcpStream) -> anyhow::Result<(u16, String)> {
    const MOST: usize = 1 << 20;
    let mut bytes = vec![];
    loop {
        if let Some(response) = split(&bytes) {
            return Ok(response);
        }
        let read = socket.read_buf(&mut bytes).await?;
        if read == 0 || bytes.len() > MOST {
            bail!("the response broke off");
        }
    }
}

/// Status and body of a response that is there as a whole, by its Content-Length or its chunks.
pub(crate) fn split(bytes: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        let (mut rest, mut whole) = (body, String::new());
        loop {
            let (size, after) = rest.split_once("\r\n")?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            if size == 0 {
                return Some((status, whole));
            }
            whole.push_str(after.get(..size)?);
            rest = after.get(size + 2..)?;
        }
    }
    let length: usize =
        head.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
    body.get(..length).map(|body| (status, body.to_owned()))
}

fn parse(twiml: &str) -> anyhow::Result<Stream> {
    let document = roxmltree::Document::parse(twiml).context("TwiML does not parse")?;
    let stream = document
        .descendants()
        .find(|node| node.has_tag_name("Stream"))
        .with_context(|| format!("no <Stream> in {twiml}"))?;
    let url = stream.attribute("url").context("<Stream> without url")?.to_owned();
    let after_scheme = url.strip_prefix("wss://").context("url is not wss")?;
    let path = after_scheme.find('/').and_then(|at| after_scheme.get(at..)).unwrap_or("/").to_owned();
    let parameters = stream
        .children()
        .filter(|node| node.has_tag_name("Parameter"))
        .filter_map(|node| Some((node.attribute("name")?.to_owned(), node.attribute("value")?.to_owned())))
        .collect();
    Ok(Stream { path, url, parameters })
}

#[cfg(test)]
mod tests {
    use super::{parse, signature, split};

    #[test]
    fn signs_as_twilio_documents_it() {
        // The example of www.twilio.com/docs/usage/security.
        let parameters = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ];
        let signed = signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", &parameters);
        assert_eq!(signed, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn reads_responses_and_twiml() {
        assert_eq!(split(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Some((200, "ok".into())));
        assert_eq!(split(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), None);
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        assert_eq!(split(chunked), Some((200, "ok".into())));
        let stream = parse(
            r#"<Response><Connect><Stream url="wss://h/m/1"><Parameter name="a" value="b"/></Stream></Connect></Response>"#,
        );
        let stream = stream.unwrap();
        assert_eq!((stream.path.as_str(), stream.parameters.len()), ("/m/1", 1));
    }
}
