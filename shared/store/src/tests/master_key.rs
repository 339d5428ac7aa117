//! Rotation of `MASTER_KEY` (property A13): nothing readable in raw storage, nothing lost, wherever it is interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use voicecore_conformance::block_on;
use voicecore_domain::{CallDirection, CallStatus, Provider};
use voicecore_ports::{BoxFuture, Db, DbError, Rows, Stmt};
use voicecore_types::{AuditEntryId, E164, MessageId, PageRequest};

use super::{NOW, Tenant, World};
use crate::audit_log::{self, AuditEntry};
use crate::calls::{self, NewCall};
use crate::master_key::{self, REWRAPPED_AT_ONCE, Rewrapped};
use crate::messages::{self, MessageFilter, NewMessage};
use crate::providers::{self, NewCredential};
use crate::seal::{Column, MasterKey, SealError};
use crate::{StoreError, businesses, directory};

fn key(byte: u8) -> MasterKey {
    MasterKey::from_base64(&STANDARD.encode([byte; 32])).unwrap()
}

/// A database that goes away after so many statements.
struct Dying {
    inner: Arc<dyn Db>,
    left: AtomicU32,
}

impl Dying {
    fn alive(&self) -> Result<(), DbError> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| DbError::Unavailable)
    }
}

impl Db for Dying {
    fn query(&self, stmt: Stmt) -> BoxFuture<'_, Result<Rows, DbError>> {
        Box::pin(async move {
            self.alive()?;
            self.inner.query(stmt).await
        })
    }

    fn batch(&self, stmts: Vec<Stmt>) -> BoxFuture<'_, Result<Vec<Rows>, DbError>> {
        Box::pin(async move {
            self.alive()?;
            self.inner.batch(stmts).await
        })
    }
}

/// What of a tenant is to be found again.
struct Kept {
    tenant: Tenant,
    dialled: E164,
    caller: E164,
    secret: String,
}

impl Kept {
    fn new(world: &World, n: usize) -> Self {
        let dialled: E164 = format!("+1500555{n:04}").parse().unwrap();
        let caller: E164 = format!("+4930123{n:05}").parse().unwrap();
        let secret = format!("sk-secret-of-tenant-{n:04}");
        let tenant = world.tenant(dialled.expose());
        let (scope, sealer) = (&tenant.scope, &tenant.sealer);
        let seal = |column, text: &str| sealer.seal(column, text, world.rng.bytes()).unwrap();
        let call = NewCall {
            call_id: world.call_id(NOW),
            carrier_call_id: &format!("CA{n}"),
            business_id: tenant.business,
            phone_number_id: tenant.number,
            direction: CallDirection::Inbound,
            status: CallStatus::Ringing,
            caller: Some((
                &seal(Column::CallerNumber, caller.expose()),
                &world.lookup.caller(scope.tenant(), &caller),
            )),
            started_at: NOW,
        };
        block_on(calls::admit(scope, &call)).unwrap();
        let message = NewMessage {
            id: MessageId::new(NOW, &world.rng.bytes()),
            call_id: call.call_id,
            caller_name: None,
            callback_number: Some(&seal(Column::CallbackNumber, caller.expose())),
            body: "ring me",
            created_at: NOW,
        };
        block_on(scope.batch(messages::insert(scope, &message).into())).unwrap();
        let new = NewCredential {
            provider: Provider::OpenAi,
            credential: &seal(Column::OpenAiCredential, &secret),
            account_id: None,
            now: NOW,
        };
        let entry = AuditEntry {
            id: AuditEntryId::new(NOW, &world.rng.bytes()),
            at: NOW,
            actor_kind: "api_key",
            actor_id: None,
            action: "provider.set",
            subject_id: None,
        };
        block_on(providers::set(scope, &new, 0, audit_log::entry(scope, &entry))).unwrap();
        block_on(audit_log::seal(scope, sealer, NOW)).unwrap();
        Self { tenant, dialled, caller, secret }
    }

    /// With `master` configured, everything is found and opens.
    fn is_whole(&self, world: &World, master: &MasterKey) -> Result<(), StoreError> {
        let lookup = block_on(directory::lookup_key(&*world.db, master))?.unwrap();
        let found = block_on(directory::dialled_number(&world.db, &lookup.dialled(&self.dialled)))?.unwrap();
        assert_eq!(found.scope.tenant(), self.tenant.scope.tenant());
        let (scope, tenant) = (&found.scope, found.scope.tenant());
        let sealer = master.open_tenant(tenant, &found.wrapped_key)?;
        let filter = calls::CallFilter {
            caller: Some(lookup.caller(tenant, &self.caller)),
            ..calls::CallFilter::default()
        };
        let sort = calls::CallSort::Newest;
        let page = block_on(calls::list(scope, &filter, sort, None, PageRequest::default()))?;
        let call = &page.items[0];
        assert_eq!(
            sealer.open_number(Column::CallerNumber, call.caller_number.as_ref().unwrap())?,
            self.caller
        );
        let setup = block_on(businesses::call_setup(scope, call.id))?.unwrap();
        assert_eq!(
            sealer.open(Column::FallbackNumber, setup.fallback_number.as_ref().unwrap())?,
            "+15005559999"
        );
        let message =
            &block_on(messages::list(scope, &MessageFilter::default(), None, PageRequest::default()))?.items
                [0];
        let number = sealer.open_number(Column::CallbackNumber, message.callback_number.as_ref().unwrap())?;
        assert_eq!(number, self.caller);
        let credential = block_on(providers::get(scope, Provider::OpenAi))?.unwrap();
        assert_eq!(sealer.open(Column::OpenAiCredential, &credential.credential)?, self.secret);
        assert_eq!(block_on(audit_log::verify(scope, &sealer, 0, 100))?.broken, None);
        Ok(())
    }
}

/// One run of the job, as far as the database lives.
fn rotate(db: &Arc<dyn Db>, world: &World, master: &MasterKey) -> Result<Rewrapped, StoreError> {
    let mut done = block_on(master_key::rewrap_lookup(&**db, master, world.rng.bytes()))?;
    loop {
        let step = block_on(master_key::rewrap_tenants(db, master, done.next, || world.rng.bytes()))?;
        done.rewrapped += step.rewrapped;
        done.unreadable += step.unreadable;
        done.next = step.next;
        if step.next.is_none() {
            return Ok(done);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a13_rotation_loses_nothing_wherever_it_is_interrupted(
        tenants in 1_usize..4, deaths in prop::collection::vec(0_u32..7, 0..4), late in any::<bool>(),
    ) {
        let mut world = World::new();
        let old = world.master.clone();
        let mut kept: Vec<Kept> = (0..tenants).map(|n| Kept::new(&world, n)).collect();
        let new = key(9).with_previous(old.clone());
        // While it is rolled out, some processes have the new one as the one that they accept besides.
        let not_yet = old.clone().with_previous(key(9));
        for (n, statements) in deaths.iter().enumerate() {
            let dying: Arc<dyn Db> = Arc::new(Dying { inner: world.db.clone(), left: AtomicU32::new(*statements) });
            let _ = rotate(&dying, &world, &new);
            if late && n == 0 {
                // A tenant that is set up meanwhile, by a process of before.
                world.master = not_yet.clone();
                kept.push(Kept::new(&world, tenants));
            }
            for tenant in &kept {
                prop_assert!(tenant.is_whole(&world, &new).is_ok());
                prop_assert!(tenant.is_whole(&world, &not_yet).is_ok());
            }
        }
        let done = rotate(&world.db, &world, &new).unwrap();
        prop_assert_eq!(done.unreadable, 0);
        prop_assert_eq!(rotate(&world.db, &world, &new).unwrap(), Rewrapped::default());
        let dump = world.stored.dump().join("\n");
        for tenant in &kept {
            // The new one alone opens everything, the old one alone nothing.
            prop_assert!(tenant.is_whole(&world, &key(9)).is_ok());
            prop_assert!(matches!(
                tenant.is_whole(&world, &old),
                Err(StoreError::Key(SealError::OtherMasterKey))
            ));
            for readable in [&tenant.dialled.expose()[1..], &tenant.caller.expose()[1..], &tenant.secret, "15005559999"] {
                prop_assert!(!dump.contains(readable));
            }
        }
    }
}

#[test]
fn a_key_that_does_not_open_is_counted_and_stays() {
    let world = World::new();
    let (one, two) = (Kept::new(&world, 1), Kept::new(&world, 2));
    let spoilt = "v1.AAAAAAAA.AAAA";
    let tenant = one.tenant.scope.tenant_arg();
    world.select("update tenant_keys set wrapped_key = ?2 where tenant_id = ?1", vec![tenant, spoilt.into()]);
    let new = key(9).with_previous(world.master.clone());
    let done = rotate(&world.db, &world, &new).unwrap();
    assert_eq!((done.rewrapped, done.unreadable), (2, 1));
    assert!(world.stored.dump().iter().any(|text| text == spoilt));
    assert!(two.is_whole(&world, &key(9)).is_ok());
}

#[test]
fn a_step_is_bounded() {
    let world = World::new();
    for n in 0..REWRAPPED_AT_ONCE + 3 {
        world.tenant(&format!("+1500555{n:04}"));
    }
    let new = key(9).with_previous(world.master.clone());
    let step =
        |after| block_on(master_key::rewrap_tenants(&world.db, &new, after, || world.rng.bytes())).unwrap();
    let first = step(None);
    assert_eq!(first.rewrapped, REWRAPPED_AT_ONCE);
    assert_eq!(step(first.next), Rewrapped { rewrapped: 3, unreadable: 0, next: None });
    assert_eq!(step(None), Rewrapped::default());
}
