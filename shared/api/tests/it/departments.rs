//! A19: whoever does not see all departments sees exactly those that they belong to and what is below them, whatever they ask for.

use std::collections::BTreeSet;

use axum::http::Method;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_domain::{Permission, Permissions};

use crate::messages::left_in;
use crate::search::finish;
use crate::world::{NOW, Reply, Tenant, World, human};

const NUMBER: &str = "+15005550006";
const ROLE: &str = "00000000-0000-7000-8000-0000000000ff";

/// Departments by their place; each stands at the top or below an earlier one.
#[derive(Debug, Clone)]
struct Tree(Vec<Option<usize>>);

fn tree() -> impl Strategy<Value = Tree> {
    let parents = prop::collection::vec(prop::option::of(any::<Index>()), 1..7);
    parents.prop_map(|parents| {
        let below = |(n, parent): (usize, Option<Index>)| parent.filter(|_| n > 0).map(|p| p.index(n));
        Tree(parents.into_iter().enumerate().map(below).collect())
    })
}

fn id(n: usize) -> String {
    format!("00000000-0000-7000-8000-{n:012}")
}

impl Tree {
    fn plant(&self, world: &World, tenant: &Tenant) {
        for (n, parent) in self.0.iter().enumerate() {
            world.sql_with(
                "insert into departments (id, tenant_id, parent_id, name, created_at, updated_at) values (?1, ?2, ?3, ?1, 1, 1)",
                vec![id(n).into(), tenant.id.as_str().into(), parent.map(id).into()],
            );
        }
    }

    /// Makes somebody a member of these, and says what they see.
    fn join(&self, world: &World, tenant: &Tenant, user: &str, of: &[Index]) -> BTreeSet<usize> {
        let mut seen: BTreeSet<usize> = of.iter().map(|index| index.index(self.0.len())).collect();
        for n in &seen {
            world.sql_with(
                "insert into membership_departments (tenant_id, user_id, department_id) values (?1, ?2, ?3)",
                vec![tenant.id.as_str().into(), user.into(), id(*n).into()],
            );
        }
        for (n, parent) in self.0.iter().enumerate() {
            if parent.is_some_and(|parent| seen.contains(&parent)) {
                seen.insert(n);
            }
        }
        seen
    }

    /// From now on what comes in is of this department; `None`: of none.
    fn next(&self, world: &World, department: Option<Index>) -> Option<usize> {
        let department = department.map(|index| index.index(self.0.len()));
        world.sql_with("update businesses set department_id = ?1", vec![department.map(id).into()]);
        department
    }
}

fn ids(reply: &Reply) -> BTreeSet<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let list = reply.json();
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// A call, and what was left and written about it.
struct Taken {
    department: Option<usize>,
    call: String,
    message: String,
    note: String,
}

/// What one of them sees of everything.
struct Viewer<'a> {
    world: &'a World,
    token: String,
    seen: BTreeSet<usize>,
    taken: &'a [Taken],
}

impl Viewer<'_> {
    fn sees(&self, taken: &Taken) -> bool {
        taken.department.is_some_and(|department| self.seen.contains(&department))
    }

    fn of(&self, part: impl Fn(&Taken) -> &String) -> BTreeSet<String> {
        self.taken.iter().filter(|taken| self.sees(taken)).map(|taken| part(taken).clone()).collect()
    }

    fn get(&self, target: &str) -> Reply {
        self.world.get(&format!("/api/v1/{target}"), &self.token)
    }

    fn ask(&self, method: Method, target: &str, body: &Value) -> u16 {
        let body = Some(body).filter(|body| !body.is_null());
        let target = format!("/api/v1/{target}");
        self.world.request(method, &target, Some(&self.token), body).status.as_u16()
    }

    /// Every list, and one of the ways to narrow each, has what is seen in it and nothing else, also page by page.
    fn lists(&self, pick: Index) -> Result<(), TestCaseError> {
        let (calls, messages, notes) = (self.of(|t| &t.call), self.of(|t| &t.message), self.of(|t| &t.note));
        for (noun, expected, filters) in [
            (
                "calls",
                &calls,
                ["sort=oldest", "q=parcel&sort=longest", "q=parcel+moment", "direction=inbound"],
            ),
            (
                "messages",
                &messages,
                ["sort=oldest", "q=invoice", "q=invoice+late&sort=oldest", "handled=false"],
            ),
            ("notes", &notes, ["q=back", "tag=vip", "category=billing&sort=oldest", "q=back&tag=vip"]),
            ("notifications", &messages, ["", "kind=message_received", "unread=true", "since=1"]),
        ] {
            let list = self.get(noun);
            prop_assert_eq!(&ids(&list), expected, "{}", noun);
            prop_assert_eq!(&list.json()["total"], &json!(expected.len()), "{}", noun);
            let filter = pick.get(&filters);
            let (mut walked, mut next) = (BTreeSet::new(), Some(String::new()));
            while let Some(after) = next {
                let page = self.get(&format!("{noun}?page_size=2&{filter}{after}"));
                prop_assert_eq!(&page.json()["total"], &json!(expected.len()), "{}?{}", noun, filter);
                walked.extend(ids(&page));
                next = page.json()["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}"));
            }
            prop_assert_eq!(&walked, expected, "{}?{}, page by page", noun, filter);
        }
        prop_assert_eq!(&self.get("notifications/unread-count").json()["unread"], &json!(messages.len()));
        for taken in self.taken {
            let expected = |part: &String| BTreeSet::from_iter(self.sees(taken).then(|| part.clone()));
            let of_call = self.get(&format!("notes?call_id={}", taken.call));
            prop_assert_eq!(ids(&of_call), expected(&taken.note));
            // Whoever does not see a department finds nothing in it, although there is something.
            if let Some(department) = taken.department {
                let there = ids(&self.get(&format!("messages?department_id={}", id(department))));
                prop_assert_eq!(there.contains(&taken.message), self.sees(taken));
            }
        }
        Ok(())
    }

    fn figures(&self) -> Result<(), TestCaseError> {
        let expected = self.of(|t| &t.call).len();
        let until = format!("until={}", NOW.0 + 60_000);
        let overview = self.get(&format!("analytics/overview?{until}")).json();
        prop_assert_eq!(&overview["total"]["calls"], &json!(expected));
        prop_assert_eq!(&overview["answer_latency"]["turns"], &json!(expected));
        let volume = self.get(&format!("analytics/call-volume?{until}")).json();
        let counted =
            volume["points"].as_array().unwrap().iter().map(|point| point["calls"].as_u64().unwrap());
        prop_assert_eq!(counted.sum::<u64>(), expected as u64);
        Ok(())
    }

    /// What is named by its id is there when it is seen, and else not, also for whoever would change it.
    fn single_ones(&self) -> Result<(), TestCaseError> {
        self.world.commands();
        let before = self.world.doubles.db.dump();
        for taken in self.taken {
            let Taken { call, message, note, .. } = taken;
            let note = format!("calls/{call}/notes/{note}");
            for target in [
                format!("calls/{call}"),
                format!("calls/{call}/interactions"),
                format!("calls/{call}/transcript"),
                format!("calls/{call}/notes"),
                format!("messages/{message}"),
                note.clone(),
            ] {
                let status = self.get(&target).status.as_u16();
                prop_assert_eq!(status, if self.sees(taken) { 200 } else { 404 }, "{}", target);
            }
            if self.sees(taken) {
                continue;
            }
            let (text, pause) = (json!({"body": "Ring back"}), json!({"action": "pause"}));
            for (method, target, body) in [
                (Method::POST, format!("calls/{call}/notes"), &text),
                (Method::PUT, note.clone(), &text),
                (Method::DELETE, note, &Value::Null),
                (Method::POST, format!("calls/{call}/end"), &Value::Null),
                (Method::POST, format!("calls/{call}/intervene"), &pause),
                (Method::PATCH, format!("messages/{message}"), &json!({"handled": true})),
                (Method::PATCH, format!("notifications/{message}/read"), &Value::Null),
                (Method::DELETE, format!("notifications/{message}"), &Value::Null),
            ] {
                prop_assert_eq!(self.ask(method, &target, body), 404, "{}", target);
            }
        }
        prop_assert!(self.world.commands().is_empty());
        prop_assert_eq!(self.world.doubles.db.dump(), before);
        Ok(())
    }
}

/// Everything that a role of a tenant may allow, but for seeing all departments.
pub(crate) fn all_but_sight(world: &World, tenant: &Tenant, email: &str) -> String {
    let words: Vec<_> = Permissions::of_tenant()
        .iter()
        .filter(|permission| *permission != Permission::DepartmentsAll)
        .map(Permission::as_str)
        .collect();
    world.sql_with(
        "insert into roles (id, tenant_id, name, permissions, created_at, updated_at) values (?1, ?2, 'R', ?3, 1, 1)",
        vec![ROLE.into(), tenant.id.as_str().into(), words.join(" ").into()],
    );
    let user = world.user(&tenant.id, email, "custom");
    world.sql_with("update memberships set role_id = ?1 where role = 'custom'", vec![ROLE.into()]);
    user
}

/// Calls of these departments: word is left in each, and a note is written.
fn traffic(world: &World, tenant: &Tenant, tree: &Tree, calls: &[Option<Index>]) -> Vec<Taken> {
    let take = |(n, department): (u32, &Option<Index>)| {
        let department = tree.next(world, *department);
        let call = world.call(tenant, n).1;
        let message = left_in(world, call, "The invoice is late");
        let note = json!({"body": "Call back", "tags": ["vip"], "category": "billing"});
        let target = format!("/api/v1/calls/{call}/notes");
        let note = world.request(Method::POST, &target, Some(&tenant.key), Some(&note)).json();
        finish(world, call, 1, &["Hello", "parcel", "One moment."]);
        let note = note["id"].as_str().unwrap().to_owned();
        Taken { department, call: call.to_string(), message, note }
    };
    (1..).zip(calls).map(take).collect()
}

/// What is configured, and what depends on it: with calls that the viewer sees, and no others. `shown`: the business is in sight.
fn dependents(viewer: &Viewer<'_>, tenant: &Tenant, user: &str, shown: bool) -> Result<(), TestCaseError> {
    for target in ["config/business", "phone-numbers"] {
        prop_assert_eq!(&viewer.get(target).json()["total"], &json!(usize::from(shown)), "{}", target);
    }
    let count = viewer.of(|t| &t.call).len();
    let usage = viewer.get(&format!("config/business/{}/usage", tenant.business_id));
    prop_assert_eq!(usage.status.as_u16(), if shown { 200 } else { 404 });
    if shown {
        prop_assert_eq!(&usage.json()["calls"], &json!(count));
        prop_assert_eq!(usage.json()["last_call_at"].is_null(), count == 0);
    }
    let human = json!({"name": "Ada", "phone_number": human(NUMBER), "user_id": user});
    let human = viewer.world.request(Method::POST, "/api/v1/agents", Some(&tenant.key), Some(&human)).json();
    let usage = viewer.get(&format!("agents/{}/usage", human["id"].as_str().unwrap())).json();
    prop_assert_eq!(&usage["transferred_calls"], &json!(if shown { count } else { 0 }));
    prop_assert_eq!(usage["last_transferred_at"].is_null(), !shown || count == 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// For any tree, any memberships and any calls, with what was left and written about them: an agent, and somebody who may do
    /// everything but see all departments.
    #[test]
    fn a19_department_isolation(
        tree in tree(),
        departments in prop::collection::vec(any::<Index>(), 0..3),
        calls in prop::collection::vec(prop::option::of(any::<Index>()), 0..5),
        last in prop::option::of(any::<Index>()),
        (is_agent, pick) in any::<(bool, Index)>(),
    ) {
        let world = World::new();
        let tenant = world.tenant(NUMBER);
        world.actors_reply(CallReply::Accepted);
        tree.plant(&world, &tenant);
        let email = "somebody@example.com";
        let user =
            if is_agent { world.user(&tenant.id, email, "agent") } else { all_but_sight(&world, &tenant, email) };
        let taken = traffic(&world, &tenant, &tree, &calls);
        world.sql("update calls set end_reason = 'transferred'");
        // The business, not its calls, is moved again.
        let last = tree.next(&world, last);
        let seen = tree.join(&world, &tenant, &user, &departments);
        let viewer = Viewer { world: &world, token: world.login(email), seen, taken: &taken };
        let seen = viewer.seen.iter().map(|n| id(*n)).collect();
        prop_assert_eq!(ids(&viewer.get("departments")), seen);
        for n in 0..tree.0.len() {
            let status = viewer.get(&format!("departments/{}", id(n))).status.as_u16();
            prop_assert_eq!(status, if viewer.seen.contains(&n) { 200 } else { 404 });
        }
        viewer.lists(pick)?;
        viewer.figures()?;
        viewer.single_ones()?;
        prop_assert_eq!(viewer.ask(Method::POST, "live/tickets", &Value::Null), 403);
        prop_assert_eq!(viewer.ask(Method::GET, "audit", &Value::Null), 403);
        if is_agent {
            prop_assert_eq!(viewer.ask(Method::GET, "config/business", &Value::Null), 403);
        } else {
            let shown = last.is_some_and(|department| viewer.seen.contains(&department));
            dependents(&viewer, &tenant, &user, shown)?;
        }
        let all = world.get("/api/v1/calls", &tenant.key).json();
        prop_assert_eq!(&all["total"], &json!(taken.len()));
    }
}
