use http::Response;
use http_body::Body;
use http_body_util::BodyExt as _;
use spin_sdk::wit_bindgen::{backpressure_dec, backpressure_inc};

/// What `work` answers, with the instance for itself until the last of the answer's body is out.
///
/// Spin would give an instance 16 requests at once, and a panic ends the instance with all of them. There is no way to catch
/// one in wasm, and a host's settings are not ours; but the component model lets a component say that it is busy. Instances are
/// still reused, one request after the other, and making one takes less than a millisecond.
pub(crate) async fn alone<B: Body>(
    work: impl Future<Output = Response<B>>,
) -> Response<impl Body<Data = B::Data, Error = B::Error>> {
    let alone = Alone::begin();
    work.await.map(|body| {
        // The answer is complete when its body is: the frames carry the guard along.
        body.map_frame(move |frame| {
            let _alone = &alone;
            frame
        })
    })
}

/// As long as it lives, the host gives this instance no other request, and makes another instance for the next.
struct Alone(());

impl Alone {
    fn begin() -> Self {
        backpressure_inc();
        Self(())
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        backpressure_dec();
    }
}
