//! HTTP in front of the instances.

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use wasmtime_wasi_http::handler::{ErrorCode, ProxyHandler};
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode as P3ErrorCode;

use crate::engine::Instances;

type Answer = Response<UnsyncBoxBody<Bytes, wasmtime::Error>>;

/// Serves until it is killed. Like Spin, without TCP_NODELAY.
pub(crate) async fn serve(listener: TcpListener, handler: ProxyHandler<Instances>) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(handler.clone(), request));
            // A client that leaves is no news.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    handler: ProxyHandler<Instances>,
    mut request: Request<Incoming>,
) -> Result<Answer, http::Error> {
    if complete_uri(&mut request).is_none() {
        return empty(StatusCode::BAD_REQUEST);
    }
    let request =
        request.map(|body| body.map_err(|_| ErrorCode::from(P3ErrorCode::HttpProtocolError)).boxed_unsync());
    match handler.handle((), request).await {
        Ok(response) => Ok(response),
        Err(error) => {
            eprintln!("a request failed: {error:#}");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Spin gives the component a whole address, made of what the client says the host is.
fn complete_uri(request: &mut Request<Incoming>) -> Option<()> {
    let host = request.headers().get(header::HOST)?.to_str().ok()?.to_owned();
    let target = request.uri().path_and_query()?.clone();
    let uri = Uri::builder().scheme("http").authority(host).path_and_query(target).build().ok()?;
    *request.uri_mut() = uri;
    Some(())
}

fn empty(status: StatusCode) -> Result<Answer, http::Error> {
    let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(status).body(body)
}
