use voicecore_domain::{CallDirection, CallStatus};
use voicecore_ports::{Stmt, Value};
use voicecore_types::{BusinessId, CallId, Millis, Page, PageRequest};

use super::{Call, call_columns, map_call};
use crate::paging::{self, Condition, Cursor, Order};
use crate::row;
use crate::seal::LookupHash;
use crate::text_words::longest_first;
use crate::{Scope, StoreError};

/// Which calls; every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// In this status.
    pub status: Option<CallStatus>,
    /// This way.
    pub direction: Option<CallDirection>,
    /// That went on to a human being, or did not (as yet).
    pub escalated: Option<bool>,
    /// Answered by this business.
    pub business_id: Option<BusinessId>,
    /// From this number (exact; hashed by `LookupKey::caller`).
    pub caller: Option<LookupHash>,
    /// To this number, as long as it is the tenant's (exact; hashed by `LookupKey::dialled`).
    pub dialled: Option<LookupHash>,
    /// That came in at this moment or later.
    pub from: Option<Millis>,
    /// That came in before this moment.
    pub to: Option<Millis>,
    /// In which all of these words were said (as `voicecore_domain::words` makes them).
    pub words: Vec<String>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallSort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// The longest connection first.
    Longest,
    /// The shortest connection first; calls that go on, and those that were never connected, come before.
    Shortest,
}

impl CallSort {
    /// The place of a call in this order.
    pub fn place(self, call: &Call) -> Cursor {
        let key = match self {
            Self::Newest | Self::Oldest => call.started_at,
            Self::Longest | Self::Shortest => call.duration().unwrap_or(Millis::ZERO),
        };
        Cursor { key, id: call.id.to_string() }
    }
}

statements! {
    GET = concat!("select ", call_columns!(), " from calls where id = ? and tenant_id = ?");

    LIST = concat!("select ", call_columns!(), " from calls where tenant_id = ?");

    COUNT = "select count(*) as total from (select 1 from calls where tenant_id = ?";

    /// The longest word leads, because it is likely to be the rarest.
    SEARCH = concat!("select ", call_columns!(), " from call_words w join calls on calls.id = w.call_id
        and calls.tenant_id = w.tenant_id where w.tenant_id = ? and w.word = ?");

    SEARCH_COUNT = "select count(*) as total from (select 1 from call_words w join calls on calls.id = w.call_id
        and calls.tenant_id = w.tenant_id where w.tenant_id = ? and w.word = ?";
}

/// One more word.
const AND_WORD: &str =
    "and exists (select 1 from call_words o where o.tenant_id = w.tenant_id and o.word = ? and o.at = w.at
    and o.call_id = w.call_id)";

/// As the partial index has it.
const ESCALATED: &str = "and end_reason = 'transferred'";
const NOT_ESCALATED: &str = "and (end_reason is null or end_reason <> 'transferred')";

/// One call, if it is of a department that the scope sees.
pub async fn get(scope: &Scope, call: CallId) -> Result<Option<Call>, StoreError> {
    let rows = scope.query(get_stmt(scope, call)).await?;
    row::one(&rows, |r| map_call(&r))
}

pub(crate) fn get_stmt(scope: &Scope, call: CallId) -> Stmt {
    let mut stmt = Stmt::new(GET, vec![call.to_string().into(), scope.tenant_arg()]);
    scope.in_sight(&mut stmt);
    stmt
}

/// The tenant's calls, of the departments that the scope sees: a page by its number, or what follows `after`.
pub async fn list(
    scope: &Scope,
    filter: &CallFilter,
    sort: CallSort,
    after: Option<&Cursor>,
    request: PageRequest,
) -> Result<Page<Call>, StoreError> {
    let found = paging::run(scope, list_stmts(scope, filter, sort, after, request)).await?;
    found.page(request, |r| map_call(&r))
}

/// The page and the count.
pub(crate) fn list_stmts(
    scope: &Scope,
    filter: &CallFilter,
    sort: CallSort,
    after: Option<&Cursor>,
    request: PageRequest,
) -> [Stmt; 2] {
    let searched = !filter.words.is_empty();
    let texts = if searched { [SEARCH, SEARCH_COUNT] } else { [LIST, COUNT] };
    let mut conditions = conditions(filter);
    conditions.extend(scope.sight());
    paging::stmts(texts, &[scope.tenant_arg()], &conditions, &order(sort, searched), after, request)
}

fn order(sort: CallSort, searched: bool) -> Order {
    let (by, after) = match (sort, searched) {
        (CallSort::Newest, false) => {
            ("order by started_at desc, id desc", "and (started_at, id) < (cast(? as bigint), ?)")
        }
        (CallSort::Oldest, false) => {
            ("order by started_at, id", "and (started_at, id) > (cast(? as bigint), ?)")
        }
        (CallSort::Newest, true) => {
            ("order by w.at desc, w.call_id desc", "and (w.at, w.call_id) < (cast(? as bigint), ?)")
        }
        (CallSort::Oldest, true) => {
            ("order by w.at, w.call_id", "and (w.at, w.call_id) > (cast(? as bigint), ?)")
        }
        (CallSort::Longest, _) => (
            "order by case when ended_at > answered_at then ended_at - answered_at else 0 end desc, id desc",
            "and (case when ended_at > answered_at then ended_at - answered_at else 0 end, id) < (cast(? as bigint), ?)",
        ),
        (CallSort::Shortest, _) => (
            "order by case when ended_at > answered_at then ended_at - answered_at else 0 end, id",
            "and (case when ended_at > answered_at then ended_at - answered_at else 0 end, id) > (cast(? as bigint), ?)",
        ),
    };
    Order { by, after }
}

fn conditions(filter: &CallFilter) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let words = longest_first(filter.words.iter().map(String::as_str), |word| word);
    for (index, word) in words.into_iter().enumerate() {
        // The first one has its place in `SEARCH`.
        conditions.push((if index == 0 { "" } else { AND_WORD }, vec![word.into()]));
    }
    let mut add = |condition, arg: Option<Value>| paging::add(&mut conditions, condition, arg);
    add("and status = ?", filter.status.map(|s| s.as_str().into()));
    add("and direction = ?", filter.direction.map(|d| d.as_str().into()));
    let went_on = |escalated| if escalated { ESCALATED } else { NOT_ESCALATED };
    conditions.extend(filter.escalated.map(|escalated| (went_on(escalated), vec![])));
    let mut add = |condition, arg: Option<Value>| paging::add(&mut conditions, condition, arg);
    add("and business_id = ?", filter.business_id.map(|id| id.to_string().into()));
    add("and caller_number_hash = ?", filter.caller.as_ref().map(Into::into));
    add(
        "and phone_number_id = (select p.id from phone_numbers p where p.number_hash = ? and p.tenant_id = calls.tenant_id)",
        filter.dialled.as_ref().map(Into::into),
    );
    add("and started_at >= ?", filter.from.map(Into::into));
    add("and started_at < ?", filter.to.map(Into::into));
    conditions
}
