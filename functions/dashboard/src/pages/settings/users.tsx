import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay, useMe } from "../../session";
import { useTitle } from "../../shell/title";
import { Avatar, Badge, Button, Card, Confirm, ErrorBar, Failed, PageHead, Paging, Select, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { ActionCell, AddButton, EditForm, EditModal, ListTable, useEditing } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";
import { DepartmentsField } from "./departments-field";
import { BUILT_IN_ROLES, useRoleName } from "./role-name";

type User = Schema["User"];

function useRoles(): { id: string; label: string }[] {
  const named = useRoleName();
  const may = useMay("roles:read");
  const roles = useQuery({ ...queries.roles(), enabled: may });
  if (roles.data === undefined) return BUILT_IN_ROLES.map((id) => ({ id, label: named(id, id) }));
  return roles.data.items.map(({ id, name }) => ({ id, label: named(id, name) }));
}

export function Users() {
  const { t } = useTranslation();
  useTitle(t("settings.users.title"));
  const may = useMay("users:write");
  const [page, setPage] = useState(1);
  const editing = useEditing<User>();
  const users = useQuery({ ...queries.users(page), placeholderData: keepPreviousData });
  return (
    <main className="page" id="main">
      <PageHead title={t("settings.users.title")}>
        {may ? <AddButton label={t("settings.users.invite")} icon={UserPlus} onPress={editing.add} /> : null}
      </PageHead>
      <Card flush>
        <Asked query={users}>
          {(found) => (
            <>
              <UserTable users={found.items} edit={may ? editing.edit : null} />
              <Paging page={found} onPage={setPage} />
            </>
          )}
        </Asked>
      </Card>
      <Invitations may={may} />
      <EditModal editing={editing} add={t("settings.users.invite")} name={({ name, email }) => name || email}>
        {(user) => (user === null ? <Invite close={editing.close} /> : <Edit user={user} close={editing.close} />)}
      </EditModal>
    </main>
  );
}

function UserTable({ users, edit }: { users: User[]; edit: ((user: User) => void) | null }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const named = useRoleName();
  return (
    <ListTable label={t("settings.users.title")} heads={[t("settings.users.person"), t("settings.users.role"), t("settings.users.last")]} actions>
      {users.map((user) => (
        <tr key={user.id}>
          <td>
            <span className="person">
              <Avatar name={user.name || user.email} />
              <span>
                {user.name === "" ? null : <span className="strong">{user.name}</span>}
                <span className={user.name === "" ? "strong" : "muted small"}>{user.email}</span>
              </span>
            </span>
          </td>
          <td>
            {named(user.role, user.role_name)} {user.active ? null : <Badge tone="warn">{t("settings.users.inactive")}</Badge>}
          </td>
          <td className="muted tight">{user.last_login_at == null ? t("common.never") : format.date(user.last_login_at)}</td>
          <ActionCell of={user.name || user.email} onPress={user.id === me.user_id ? null : edit && (() => edit(user))} />
        </tr>
      ))}
    </ListTable>
  );
}

function Edit({ user, close }: { user: User; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const roles = useRoles();
  const [role, setRole] = useState(user.role);
  // Told with one person only, not in the list.
  const known = useQuery(queries.user(user.id)).data?.departments ?? null;
  const [chosen, setChosen] = useState<string[] | null>(null);
  const changed = { ...(role === user.role ? {} : { role }), ...(chosen === null ? {} : { departments: chosen }) };
  const [busy, setBusy] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const params = { path: { id: user.id } };
  const change = async (body: { role?: string; departments?: string[]; active?: boolean }) => {
    setBusy(true);
    setError(null);
    try {
      await answer(api.PATCH("/api/v1/users/{id}", { params, headers: { "if-match": `"${user.version}"` }, body }));
      await client.invalidateQueries({ queryKey: ["users"] });
      close();
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  };
  const remove = async () => {
    await answer(api.DELETE("/api/v1/users/{id}", { params }));
    await client.invalidateQueries({ queryKey: ["users"] });
    close();
  };
  return (
    <>
      <ErrorBar error={error} />
      <Select label={t("settings.users.role")} options={roles} value={role} onChange={setRole} />
      {known === null ? null : <DepartmentsField value={chosen ?? known} onChange={setChosen} wrong={undefined} />}
      <div className="actions">
        <Button kind="quiet" onPress={() => setRemoving(true)}>
          {t("settings.users.remove")}
        </Button>
        <Button isDisabled={busy} onPress={() => void change({ active: !user.active })}>
          {t(user.active ? "settings.users.deactivate" : "settings.users.activate")}
        </Button>
        <Button kind="primary" busy={busy} isDisabled={Object.keys(changed).length === 0} onPress={() => void change(changed)}>
          {t("common.save")}
        </Button>
      </div>
      <Confirm
        title={t("settings.users.removeTitle")}
        text={t("settings.users.removeText")}
        action={t("settings.users.remove")}
        open={removing}
        onClose={() => setRemoving(false)}
        onConfirm={remove}
      />
    </>
  );
}

function Invite({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const roles = useRoles();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState("agent");
  const [departments, setDepartments] = useState<string[]>([]);
  const form = useSubmit(async () => {
    const body = { email: email.trim(), role, name: name.trim() === "" ? null : name.trim(), departments };
    await answer(api.POST("/api/v1/users/invitations", { body }));
    await client.invalidateQueries({ queryKey: ["invitations"] });
    toast(t("settings.users.invited", { email: email.trim() }));
    close();
  });
  return (
    <EditForm form={form} action={t("settings.users.send")} close={close}>
      <TextField label={t("signIn.email")} type="email" isRequired autoFocus value={email} onChange={setEmail} wrong={form.wrong.get("email")} />
      <TextField label={t("profile.name")} value={name} onChange={setName} wrong={form.wrong.get("name")} />
      <Select label={t("settings.users.role")} options={roles} value={role} onChange={setRole} wrong={form.wrong.get("role")} />
      <DepartmentsField value={departments} onChange={setDepartments} wrong={form.wrong.get("departments")} />
    </EditForm>
  );
}

function Invitations({ may }: { may: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const invitations = useQuery(queries.invitations());
  const [revoked, setRevoked] = useState<string | null>(null);
  const revoke = async () => {
    if (revoked === null) return;
    await answer(api.DELETE("/api/v1/users/invitations/{id}", { params: { path: { id: revoked } } }));
    await client.invalidateQueries({ queryKey: ["invitations"] });
  };
  if (invitations.isError) return <Card title={t("settings.users.open")}><Failed error={invitations.error} retry={() => void invitations.refetch()} /></Card>;
  if (invitations.data === undefined || invitations.data.items.length === 0) return null;
  return (
    <Card title={t("settings.users.open")}>
      <ul className="rows">
        {invitations.data.items.map(({ id, email, expires_at: expires }) => (
          <li key={id}>
            <span className="clip">{email}</span>
            <span className="muted small">{t("settings.users.until", { date: format.date(expires) })}</span>
            {may ? (
              <Button kind="quiet" onPress={() => setRevoked(id)}>
                {t("settings.users.takeBack")}
              </Button>
            ) : null}
          </li>
        ))}
      </ul>
      <Confirm
        title={t("settings.users.takeBackTitle")}
        text={t("settings.users.takeBackText")}
        action={t("settings.users.takeBack")}
        open={revoked !== null}
        onClose={() => setRevoked(null)}
        onConfirm={revoke}
      />
    </Card>
  );
}
