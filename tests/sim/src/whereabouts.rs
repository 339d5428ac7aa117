//! Where the simulated world says that callers and clients are: what the networks between add to requests, and what Twilio tells of both
//! ends of a call. Values that are nothing else, so that a search finds whoever has kept them.

/// A client's address (reserved for documentation).
pub const ADDRESS: &str = "203.0.113.213";
/// A town.
pub const CITY: &str = "QXCANARYVILLE";
/// Its state.
pub const STATE: &str = "QXCANARYSTATE";
/// Its postal code.
pub const ZIP: &str = "QXCANARYZIP";
/// Whatever must be found nowhere. Countries are two letters, which are found everywhere.
pub const ALL: [&str; 4] = [ADDRESS, CITY, STATE, ZIP];

/// What platforms and proxies say of a client, by their headers.
pub const HEADERS: [(&str, &str); 11] = [
    ("cf-connecting-ip", ADDRESS),
    ("x-forwarded-for", ADDRESS),
    ("x-real-ip", ADDRESS),
    ("true-client-ip", ADDRESS),
    ("forwarded", "for=203.0.113.213;proto=https"),
    ("fly-client-ip", ADDRESS),
    ("spin-client-addr", "203.0.113.213:50000"),
    ("cf-ipcountry", "QX"),
    ("cf-ipcity", CITY),
    ("cf-region", STATE),
    ("cf-postal-code", ZIP),
];

/// What Twilio says of the places of a call's two ends, under each of their names.
pub const PLACES: [(&str, &str); 16] = [
    ("CalledCity", CITY),
    ("CalledCountry", "US"),
    ("CalledState", STATE),
    ("CalledZip", ZIP),
    ("CallerCity", CITY),
    ("CallerCountry", "US"),
    ("CallerState", STATE),
    ("CallerZip", ZIP),
    ("FromCity", CITY),
    ("FromCountry", "US"),
    ("FromState", STATE),
    ("FromZip", ZIP),
    ("ToCity", CITY),
    ("ToCountry", "US"),
    ("ToState", STATE),
    ("ToZip", ZIP),
];
