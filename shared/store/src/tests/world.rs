//! What the tests begin with.

use std::sync::Arc;

use voicecore_conformance::block_on;
use voicecore_conformance::doubles::{SeededRng, TestDb};
use voicecore_domain::{ApiKey, CallDirection, CallStatus, SetupToken};
use voicecore_ports::{Db, Reach, Stmt, Value};
use voicecore_types::{
    ApiKeyId, AssistantId, AuditEntryId, BusinessId, CallId, DepartmentId, E164, Millis, PhoneNumberId,
    TenantId, UserId,
};

use crate::assistants::Settings;
use crate::calls::{self, Admission, Call, NewCall};
use crate::phone_numbers::NewPhoneNumber;
use crate::seal::{Column, FreshKey, LookupKey, MasterKey, Sealer};
use crate::tenants::{NewAssistant, NewBusiness, NewDepartment, Owner, Provision, ProvisionError};
use crate::{Scope, directory, tenants};

/// 2026-11-20, an hour before midnight UTC.
pub(super) const NOW: Millis = Millis(1_795_215_600_000);

/// A database and the platform's keys.
pub(super) struct World {
    pub(super) stored: Arc<TestDb>,
    pub(super) db: Arc<dyn Db>,
    pub(super) rng: SeededRng,
    pub(super) master: MasterKey,
    pub(super) lookup: LookupKey,
}

/// A tenant with its first business, number and key.
pub(super) struct Tenant {
    pub(super) scope: Scope,
    pub(super) business: BusinessId,
    pub(super) number: PhoneNumberId,
    pub(super) sealer: Sealer,
}

impl World {
    pub(super) fn new() -> Self {
        let stored = Arc::new(TestDb::migrated());
        let db: Arc<dyn Db> = stored.clone();
        let rng = SeededRng::new(7);
        let master = MasterKey::from_base64(&"A".repeat(43)).unwrap();
        let fresh = FreshKey { key: rng.bytes(), nonce: rng.bytes() };
        let lookup = block_on(directory::ensure_lookup_key(&*db, &master, &fresh, NOW)).unwrap();
        Self { stored, db, rng, master, lookup }
    }

    pub(super) fn setup_token(&self, email: &str) -> SetupToken {
        let token = SetupToken::new(&self.rng.bytes());
        block_on(directory::create_setup_token(&*self.db, &token, email, NOW)).unwrap();
        token
    }

    /// Provisions a tenant that is rung at `number`, with a token of its own unless one is given.
    pub(super) fn try_tenant(
        &self,
        number: &str,
        key: &ApiKey,
        token: &SetupToken,
        now: Millis,
    ) -> Result<Tenant, ProvisionError> {
        let owner = Owner::Token {
            token,
            user_id: UserId::new(now, &self.rng.bytes()),
            password_hash: None,
            api_key_id: ApiKeyId::new(now, &self.rng.bytes()),
            api_key: key,
        };
        self.try_owned(number, owner, now)
    }

    /// The same for any owner.
    pub(super) fn try_owned(
        &self,
        number: &str,
        owner: Owner<'_>,
        now: Millis,
    ) -> Result<Tenant, ProvisionError> {
        let number: E164 = number.parse().unwrap();
        let tenant_id = TenantId::new(now, &self.rng.bytes());
        let fresh = FreshKey { key: self.rng.bytes(), nonce: self.rng.bytes() };
        let wrapped = self.master.new_tenant_key(tenant_id, &fresh).unwrap();
        let sealer = self.master.open_tenant(tenant_id, &wrapped).unwrap();
        let stored_number = sealer.seal(Column::PhoneNumber, number.expose(), self.rng.bytes()).unwrap();
        let fallback = sealer.seal(Column::FallbackNumber, "+15005559999", self.rng.bytes()).unwrap();
        let business = BusinessId::new(now, &self.rng.bytes());
        let phone = PhoneNumberId::new(now, &self.rng.bytes());
        let settings = Settings {
            name: "Assistant".to_owned(),
            instructions: Some("Be brief.".to_owned()),
            language: Some("en".to_owned()),
            ..Settings::default()
        };
        let provision = Provision {
            owner,
            now,
            tenant_id,
            tenant_name: "Tenant",
            wrapped_key: &wrapped,
            department: NewDepartment { id: DepartmentId::new(now, &self.rng.bytes()), name: "General" },
            assistant: NewAssistant { id: AssistantId::new(now, &self.rng.bytes()), settings: &settings },
            business: NewBusiness {
                id: business,
                name: "Business",
                voice_mode: None,
                fallback_number: Some(&fallback),
                opening_hours: None,
            },
            phone_number: NewPhoneNumber {
                id: phone,
                number: &stored_number,
                number_hash: &self.lookup.dialled(&number),
            },
            qa_rules: "[]",
            audit_entry_id: AuditEntryId::new(now, &self.rng.bytes()),
        };
        let scope = block_on(tenants::provision(&self.db, &provision))?;
        Ok(Tenant { scope, business, number: phone, sealer })
    }

    pub(super) fn tenant(&self, number: &str) -> Tenant {
        let token = self.setup_token("owner@example.com");
        self.try_tenant(number, &ApiKey::new(&self.rng.bytes()), &token, NOW).unwrap()
    }

    pub(super) fn call_id(&self, at: Millis) -> CallId {
        CallId::new(at, &self.rng.bytes())
    }

    /// Asks for a call by the carrier's name of it, of a caller who withholds the number.
    pub(super) fn admit(&self, tenant: &Tenant, carrier_call_id: &str, at: Millis) -> Admission {
        self.admit_from(tenant, carrier_call_id, None, at)
    }

    /// The same of a caller known by a number of the test's own.
    pub(super) fn admit_from(
        &self,
        tenant: &Tenant,
        carrier_call_id: &str,
        caller: Option<u8>,
        at: Millis,
    ) -> Admission {
        let caller = caller.map(|caller| {
            let number: E164 = format!("+4420794600{caller:02}").parse().unwrap();
            let sealed = tenant.sealer.seal(Column::CallerNumber, number.expose(), self.rng.bytes()).unwrap();
            (sealed, self.lookup.caller(tenant.scope.tenant(), &number))
        });
        let call = NewCall {
            call_id: self.call_id(at),
            carrier_call_id,
            business_id: tenant.business,
            phone_number_id: tenant.number,
            direction: CallDirection::Inbound,
            status: CallStatus::Ringing,
            caller: caller.as_ref().map(|(sealed, hash)| (sealed, hash)),
            started_at: at,
        };
        block_on(calls::admit(&tenant.scope, &call)).unwrap()
    }

    pub(super) fn admitted(&self, tenant: &Tenant, carrier_call_id: &str, at: Millis) -> Call {
        match self.admit(tenant, carrier_call_id, at) {
            Admission::Admitted(call) => call,
            other => panic!("{other:?}"),
        }
    }

    /// The rows of a statement that only a test needs.
    pub(super) fn select(&self, sql: &'static str, args: Vec<Value>) -> Vec<voicecore_ports::Row> {
        block_on(self.db.query(Stmt::new(sql, args).reaching(Reach::EveryTenant))).unwrap().rows
    }

    pub(super) fn limit_callers(&self, tenant: &Tenant, hourly: i64) {
        self.select(
            "update tenants set max_hourly_calls_per_caller = ?2 where id = ?1",
            vec![tenant.scope.tenant_arg(), hourly.into()],
        );
    }

    pub(super) fn limits(&self, tenant: &Tenant, concurrent: i64, daily_calls: i64, daily_cost: i64) {
        self.select(
            "update tenants set max_concurrent_calls = ?2, max_daily_calls = ?3, max_daily_cost_micros = ?4
            where id = ?1",
            vec![tenant.scope.tenant_arg(), concurrent.into(), daily_calls.into(), daily_cost.into()],
        );
    }
}
