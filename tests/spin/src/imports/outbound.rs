use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p3::{RequestOptions, WasiHttpHooks};

use crate::manifest::Origin;

type Body = UnsyncBoxBody<Bytes, ErrorCode>;
/// How the exchange ended, after its answer began.
type Ended = Box<dyn Future<Output = Result<(), ErrorCode>> + Send>;

/// Sends what the component asks of others, if the manifest allows it. Plain HTTP only: whom it meets here is simulated.
pub(crate) struct Hooks {
    allowed: Vec<Origin>,
}

impl Hooks {
    pub(crate) fn new(allowed: Vec<Origin>) -> Self {
        Self { allowed }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<Body>,
        _options: Option<RequestOptions>,
        _ended: Ended,
    ) -> Box<dyn Future<Output = Result<(Response<Body>, Ended), TrappableError<ErrorCode>>> + Send> {
        let allowed = Origin::of(request.uri()).is_some_and(|origin| self.allowed.contains(&origin));
        Box::new(async move {
            if !allowed {
                return Err(ErrorCode::HttpRequestDenied.into());
            }
            send(request).await.map_err(Into::into)
        })
    }
}

async fn send(mut request: Request<Body>) -> Result<(Response<Body>, Ended), ErrorCode> {
    let uri = request.uri();
    if uri.scheme_str() != Some("http") {
        eprintln!("this host has no TLS: {} cannot be reached", uri.host().unwrap_or_default());
        return Err(ErrorCode::HttpProtocolError);
    }
    let authority = uri.authority().ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await.map_err(|_| ErrorCode::ConnectionRefused)?;
    stream.set_nodelay(true).map_err(|_| ErrorCode::ConnectionRefused)?;
    let (mut sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|_| ErrorCode::HttpProtocolError)?;
    // Ends when the answer has been read or dropped: nothing is kept alive.
    let driver = tokio::spawn(connection);
    let target = uri.path_and_query().map_or("/", |target| target.as_str()).parse();
    *request.uri_mut() = target.map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    let response = sender.send_request(request).await.map_err(|_| ErrorCode::ConnectionTerminated)?;
    let response = response.map(|body| body.map_err(|_| ErrorCode::ConnectionTerminated).boxed_unsync());
    let ended = async move {
        match driver.await {
            Ok(Ok(())) => Ok(()),
            _ => Err(ErrorCode::ConnectionTerminated),
        }
    };
    Ok((response, Box::new(ended)))
}
