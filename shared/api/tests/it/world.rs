//! A whole system in memory: the real router on the conformance suite's doubles. Requests go in through `oneshot`, and what is
//! set up is set up through the API itself.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use crate::documented;
use crate::switch::Switch;
pub(crate) use crate::switch::{Fault, Finish};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use voicecore_api::actors::{CallReply, HubReply};
use voicecore_api::{AppState, Cause, Config, jobs, router};
use voicecore_conformance::block_on;
use voicecore_conformance::doubles::{ActorName, TestDb, TestPorts};
use voicecore_domain::SetupToken;
use voicecore_ports::{Db as _, Http, HttpResponse, Ports, RateLimits, Reach, Rows, Stmt};
use voicecore_store::directory;
use voicecore_types::{CallId, Millis, UserId};
use voicecore_wire::twilio::signature::sign;
use voicecore_wire::twilio::webhook::Form;

pub(crate) const ORIGIN: &str = "https://voice.example.com";
pub(crate) const AUTH_TOKEN: &str = "token-of-twilio-0123456789";
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const NOW: Millis = Millis(1_795_000_000_000);
/// The caller of every call unless a test says otherwise.
pub(crate) const CALLER: &str = "+15005550111";

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// What is stored of it: made by set-up, once in a process, because it takes a while.
static PASSWORD_HASH: LazyLock<String> = LazyLock::new(|| {
    let world = World::new();
    let claim = json!({
        "token": world.setup_token().expose(), "tenant_name": "T", "business_name": "B",
        "phone_number": "+15005550006", "password": PASSWORD,
    });
    assert_eq!(world.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim)).status, 201);
    match world.sql("select password_hash from users").rows[0].get("password_hash") {
        Some(voicecore_ports::Value::Text(hash)) => hash.clone(),
        other => panic!("{other:?}"),
    }
});

pub(crate) const SETTINGS: [(&str, &str); 8] = [
    ("PUBLIC_URL", ORIGIN),
    ("TWILIO_ACCOUNT_SID", ACCOUNT),
    ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
    ("OPENAI_API_KEY", "sk-of-openai-0123456789"),
    ("JWT_SECRET", "jwt-secret-0123456789abcdef01234"),
    ("MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("EMAIL_API_KEY", "re_of-mails-0123456789"),
    ("EMAIL_FROM", "VoiceCore <hello@example.com>"),
];

/// A configuration of which some settings are others.
pub(crate) fn config(changed: &[(&str, &str)]) -> Config {
    Config::from_lookup(&|name| {
        // Tests ask more often in their one minute than anybody should; those of the limit set one.
        let all = changed.iter().chain(&SETTINGS).chain(&[("RATE_LIMIT_PER_MIN", "1000000")]);
        all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    })
}

/// What a future gives without waiting for anything.
pub(crate) fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

pub(crate) struct World {
    pub(crate) doubles: TestPorts,
    pub(crate) db: Arc<Switch>,
    pub(crate) app: AppState,
    pub(crate) router: Router,
}

/// What was set up for one customer.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) business_id: String,
    pub(crate) key: String,
    pub(crate) number: String,
}

/// What was answered.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// What the log gets to know.
    pub(crate) cause: Option<String>,
}

/// A body is text, all of it, but for that of a file that is none.
fn text(headers: &HeaderMap, body: &[u8]) -> String {
    if headers.get(header::CONTENT_TYPE).is_some_and(|media_type| media_type == "application/pdf") {
        return String::from_utf8_lossy(body).into_owned();
    }
    String::from_utf8(body.to_vec()).unwrap()
}

impl Reply {
    /// The cookies that it sets, as a browser sends them back.
    pub(crate) fn cookies(&self) -> Vec<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        set.map(|cookie| cookie.split(';').next().unwrap().to_owned()).collect()
    }

    /// The fields that it complains of.
    #[track_caller]
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        self.assert_problem(422, "invalid_request");
        let problem = self.json();
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub(crate) fn content_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// Is a problem document with this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.content_type(), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
    }

    /// Is TwiML, answered with 200.
    #[track_caller]
    pub(crate) fn twiml(&self) -> &str {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.content_type(), "text/xml; charset=utf-8");
        self.body.strip_prefix(r#"<?xml version="1.0" encoding="UTF-8"?>"#).unwrap()
    }

    /// The value of the first attribute of this name.
    #[track_caller]
    pub(crate) fn attribute(&self, name: &str) -> String {
        let (_, rest) = self
            .twiml()
            .split_once(&format!(" {name}=\""))
            .unwrap_or_else(|| panic!("{name}: {}", self.body));
        rest.split('"').next().unwrap().replace("&amp;", "&")
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// A system of which some settings are others. An empty one is not set.
    pub(crate) fn with(changed: &[(&str, &str)]) -> Self {
        Self::on(TestPorts::new(NOW), changed)
    }

    /// The same system after a restart with some settings others.
    pub(crate) fn restarted(&self, changed: &[(&str, &str)]) -> Self {
        Self::on(self.doubles.clone(), changed)
    }

    /// A system whose requests go through `http`, which is told the router: what it asks for may come in between.
    pub(crate) fn with_http(http: Arc<dyn Http>) -> Self {
        Self::over(TestPorts::new(NOW), Some(http), &[])
    }

    /// The same system after a restart, with these counters and this `RATE_LIMIT_PER_MIN`.
    pub(crate) fn counted_by(&self, counters: Arc<dyn RateLimits>, per_minute: u32) -> Self {
        let ports = Ports { rate_limits: counters, ..self.app.ports.clone() };
        let changed = config(&[("RATE_LIMIT_PER_MIN", &per_minute.to_string())]);
        let app = AppState::new(ports, Arc::new(changed));
        Self { doubles: self.doubles.clone(), db: self.db.clone(), router: router(app.clone()), app }
    }

    /// The same on this database.
    pub(crate) fn on_database(db: TestDb) -> Self {
        Self::on(TestPorts::on(db, NOW), &[])
    }

    fn on(doubles: TestPorts, changed: &[(&str, &str)]) -> Self {
        Self::over(doubles, None, changed)
    }

    fn over(doubles: TestPorts, http: Option<Arc<dyn Http>>, changed: &[(&str, &str)]) -> Self {
        let db = Arc::new(Switch::new(doubles.db.clone(), doubles.clock.clone()));
        let mut ports = Ports { db: db.clone(), ..doubles.ports() };
        ports.http = http.unwrap_or(ports.http);
        let app = AppState::new(ports, Arc::new(config(changed)));
        Self { doubles, db, router: router(app.clone()), app }
    }

    #[track_caller]
    pub(crate) fn send(&self, request: Request<Body>) -> Reply {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let reply = self.doubles.clock.run(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            Reply {
                status: parts.status,
                body: text(&parts.headers, &body),
                headers: parts.headers,
                cause: parts.extensions.get::<Cause>().map(|cause| cause.0.clone()),
            }
        });
        documented::check(&method, uri.path(), &reply);
        reply
    }

    pub(crate) fn request(
        &self,
        method: Method,
        uri: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let is_change = [Method::PUT, Method::PATCH].contains(&method);
        let mut request = Request::builder().method(method).uri(uri);
        if is_change {
            // Whatever version it is; tests of versions name one.
            request = request.header(header::IF_MATCH, "*");
        }
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap())
    }

    pub(crate) fn get(&self, uri: &str, key: &str) -> Reply {
        self.request(Method::GET, uri, Some(key), None)
    }

    pub(crate) fn post(&self, uri: &str, key: &str) -> Reply {
        self.request(Method::POST, uri, Some(key), None)
    }

    /// The request of a webhook, see [`World::webhook`].
    pub(crate) fn signed(target: &str, parameters: &[(&str, &str)]) -> Request<Body> {
        let target = target.strip_prefix(ORIGIN).unwrap_or(target).split('#').next().unwrap();
        Self::signed_by(AUTH_TOKEN, target, parameters)
    }

    /// The same, of the account with this token.
    pub(crate) fn signed_by(token: &str, target: &str, parameters: &[(&str, &str)]) -> Request<Body> {
        let form: Form = parameters.iter().copied().collect();
        let signature = sign(token, &format!("{ORIGIN}{target}"), &form);
        Self::form_request(target, parameters, Some(&signature))
    }

    /// A webhook as Twilio sends it. `target` may be a whole address out of a TwiML document.
    pub(crate) fn webhook(&self, target: &str, parameters: &[(&str, &str)]) -> Reply {
        self.send(Self::signed(target, parameters))
    }

    pub(crate) fn form(&self, target: &str, parameters: &[(&str, &str)], signature: Option<&str>) -> Reply {
        self.send(Self::form_request(target, parameters, signature))
    }

    fn form_request(target: &str, parameters: &[(&str, &str)], signature: Option<&str>) -> Request<Body> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let mut request =
            Request::post(target).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(signature) = signature {
            request = request.header("x-twilio-signature", signature);
        }
        request.body(Body::from(body)).unwrap()
    }

    /// The token of a new one-use link.
    pub(crate) fn setup_token(&self) -> SetupToken {
        let token = SetupToken::new(&self.doubles.rng.bytes());
        block_on(directory::create_setup_token(&*self.doubles.db, &token, "owner@example.com", NOW)).unwrap();
        token
    }

    /// A customer who answers at `number`, and has a human being at the number with 9 at its end.
    pub(crate) fn tenant(&self, number: &str) -> Tenant {
        let claim = json!({
            "token": self.setup_token().expose(),
            "tenant_name": "Bella & Sons",
            "business_name": "Bella's Salon",
            "phone_number": number,
            "fallback_number": human(number),
        });
        let reply = self.request(Method::POST, "/api/v1/setup/claim", None, Some(&claim));
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        let result = reply.json();
        let text = |name: &str| result[name].as_str().unwrap().to_owned();
        Tenant {
            id: text("tenant_id"),
            business_id: text("business_id"),
            key: text("api_key"),
            number: number.to_owned(),
        }
    }

    /// Somebody calls. Gives Twilio's id of the call.
    pub(crate) fn ring(&self, number: &str, n: u32) -> (String, Reply) {
        let sid = format!("CA{n:032x}");
        let reply = self.webhook("/webhooks/twilio/voice", &incoming(&sid, number));
        (sid, reply)
    }

    /// A call that is connected to the assistant. Gives Twilio's id and ours.
    pub(crate) fn call(&self, tenant: &Tenant, n: u32) -> (String, CallId) {
        let (sid, reply) = self.ring(&tenant.number, n);
        (sid, call_id(&reply))
    }

    /// From now on the actors of calls answer with `reply`, and hubs issue tickets.
    pub(crate) fn actors_reply(&self, reply: CallReply) {
        self.doubles.actors.answer_with(move |name, _| match name {
            ActorName::Call(_) => Ok(serde_json::to_value(&reply).unwrap()),
            ActorName::Hub(_) => {
                Ok(serde_json::to_value(HubReply::TicketIssued { expires_at: NOW.plus(Millis(30_000)) })
                    .unwrap())
            }
        });
    }

    /// The commands that actors got since the last time, without their addressees.
    pub(crate) fn commands(&self) -> Vec<Value> {
        self.doubles.actors.commands().into_iter().map(|(_, command)| command).collect()
    }

    /// Runs the job of every minute: calls that it closed, and could not close.
    pub(crate) fn calls_closed(&self) -> (u32, u32) {
        let swept = block_on(jobs::scheduled(&self.app)).unwrap();
        (swept.closed, swept.failed)
    }

    /// Runs SQL of the test's own.
    pub(crate) fn sql(&self, sql: &'static str) -> Rows {
        block_on(self.doubles.db.query(Stmt::new(sql, vec![]).reaching(Reach::EveryTenant))).unwrap()
    }

    /// Runs SQL of the test's own, with arguments.
    pub(crate) fn sql_with(&self, sql: &'static str, args: Vec<voicecore_ports::Value>) -> Rows {
        block_on(self.doubles.db.query(Stmt::new(sql, args).reaching(Reach::EveryTenant))).unwrap()
    }

    /// How many rows a statement of the test's own counts as `n`.
    pub(crate) fn count(&self, sql: &'static str) -> i64 {
        match self.sql(sql).rows[0].get("n") {
            Some(voicecore_ports::Value::Int(n)) => *n,
            other => panic!("{other:?}"),
        }
    }

    /// Somebody with [`PASSWORD`] who works for a tenant, by the word of a built-in role. Gives their id.
    pub(crate) fn user(&self, tenant: &str, email: &str, role: &str) -> String {
        let id = UserId::new(self.app.ports.clock.now(), &self.doubles.rng.bytes()).to_string();
        self.sql_with(
            "insert into users (id, email, name, password_hash, created_at) values (?1, ?2, 'Somebody', ?3, 1)",
            vec![id.as_str().into(), email.into(), PASSWORD_HASH.as_str().into()],
        );
        self.sql_with(
            "insert into memberships (user_id, tenant_id, role, created_at) values (?1, ?2, ?3, 1)",
            vec![id.as_str().into(), tenant.into(), role.into()],
        );
        id
    }

    /// Somebody who runs the installation.
    pub(crate) fn super_admin(&self, email: &str) -> String {
        let id = UserId::new(self.app.ports.clock.now(), &self.doubles.rng.bytes()).to_string();
        self.sql_with(
            "insert into users (id, email, password_hash, created_at, super_admin) values (?1, ?2, ?3, 1, 1)",
            vec![id.as_str().into(), email.into(), PASSWORD_HASH.as_str().into()],
        );
        id
    }

    /// Signs in; gives the access token.
    pub(crate) fn login(&self, email: &str) -> String {
        let reply = self.try_login(email, PASSWORD, &[]);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Tries to sign in, with cookies.
    pub(crate) fn try_login(&self, email: &str, password: &str, cookies: &[String]) -> Reply {
        self.with_cookies("/api/v1/auth/login", cookies, &json!({"email": email, "password": password}))
    }

    /// Posts with cookies.
    pub(crate) fn with_cookies(&self, target: &str, cookies: &[String], body: &Value) -> Reply {
        let mut request = Request::post(target).header(header::CONTENT_TYPE, "application/json");
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        self.send(request.body(Body::from(body.to_string())).unwrap())
    }

    /// Does every job that waits, and gives the mails that were sent: to whom, and the link.
    pub(crate) fn mails(&self) -> Vec<(String, String)> {
        let mails = self.sent().into_iter().map(|mail| {
            let text = mail["text"].as_str().unwrap();
            let link = text.lines().find(|line| line.starts_with("https://")).unwrap();
            (mail["to"][0].as_str().unwrap().to_owned(), link.to_owned())
        });
        mails.collect()
    }

    /// The same, as they went to the service.
    pub(crate) fn sent(&self) -> Vec<Value> {
        let jobs = self.doubles.queue.take();
        for _ in &jobs {
            self.doubles.http.answer(Ok(HttpResponse { status: 200, body: b"{\"id\":\"1\"}".to_vec() }));
        }
        for job in jobs {
            block_on(voicecore_api::jobs::handle(&self.app, job)).unwrap();
        }
        let mails = self.doubles.http.requests();
        mails
            .iter()
            .map(|request| {
                assert_eq!((request.method, request.url.as_str()), ("POST", "https://api.resend.com/emails"));
                serde_json::from_slice(&request.body).unwrap()
            })
            .collect()
    }

    /// From now on every key allows these, by their words.
    pub(crate) fn keys_allow(&self, permissions: &str) {
        let stmt = Stmt::new("update api_keys set permissions = ?1", vec![permissions.into()])
            .reaching(Reach::EveryTenant);
        block_on(self.doubles.db.query(stmt)).unwrap();
    }
}

pub(crate) fn human(number: &str) -> String {
    format!("{number}9")
}

/// What Twilio says of an incoming call, with things that it says and we must not keep.
pub(crate) fn incoming<'a>(sid: &'a str, to: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("CallSid", sid),
        ("AccountSid", ACCOUNT),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("From", CALLER),
        ("To", to),
        ("CallerCity", "SPRINGFIELD"),
        ("FromZip", "99999"),
        ("CallerName", "DOE JOHN"),
    ]
}

/// What Twilio says of a call whose status it is.
pub(crate) fn status<'a>(sid: &'a str, status: &'a str) -> [(&'a str, &'a str); 3] {
    [("CallSid", sid), ("AccountSid", ACCOUNT), ("CallStatus", status)]
}

/// Our id of the call that a TwiML document connects.
#[track_caller]
pub(crate) fn call_id(reply: &Reply) -> CallId {
    let url = reply.attribute("url");
    let id = url.strip_prefix("wss://voice.example.com/media/").unwrap_or_else(|| panic!("{url}"));
    id.parse().unwrap()
}
