import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useFormat } from "../../format";
import { useTranslation } from "../../i18n";
import { useMay, useMe } from "../../session";
import { useTitle } from "../../shell/title";
import { Avatar, Badge, Button, Card, Confirm, Failed, Modal, NoteBar, Paging, Select, TableBox, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { explain } from "../../ui/explain";
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
  const [inviting, setInviting] = useState(false);
  const users = useQuery({ ...queries.users(page), placeholderData: keepPreviousData });
  return (
    <main className="page" id="main">
      <div className="page-head">
        <h1>{t("settings.users.title")}</h1>
        <span className="grow" />
        {may ? (
          <Button kind="primary" icon={<UserPlus aria-hidden="true" />} onPress={() => setInviting(true)}>
            {t("settings.users.invite")}
          </Button>
        ) : null}
      </div>
      <Card flush>
        <Asked query={users}>
          {(found) => (
            <>
              <UserTable users={found.items} may={may} />
              <Paging page={found} onPage={setPage} />
            </>
          )}
        </Asked>
      </Card>
      <Invitations may={may} />
      <Modal title={t("settings.users.invite")} open={inviting} onClose={() => setInviting(false)}>
        {inviting ? <Invite close={() => setInviting(false)} /> : null}
      </Modal>
    </main>
  );
}

function UserTable({ users, may }: { users: User[]; may: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const me = useMe();
  const named = useRoleName();
  const [edited, setEdited] = useState<User | null>(null);
  return (
    <>
      <TableBox label={t("settings.users.title")}>
        <thead>
          <tr>
            <th scope="col">{t("settings.users.person")}</th>
            <th scope="col">{t("settings.users.role")}</th>
            <th scope="col">{t("settings.users.last")}</th>
            <th scope="col">
              <span className="visually-hidden">{t("common.actions")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.id}>
              <td>
                <span className="person">
                  <Avatar name={user.name === "" ? user.email : user.name} />
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
              <td className="tight">
                {may && user.id !== me.user_id ? (
                  <Button kind="quiet" onPress={() => setEdited(user)}>
                    {t("common.edit")}
                  </Button>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </TableBox>
      <Modal title={edited === null || edited.name === "" ? (edited?.email ?? "") : edited.name} open={edited !== null} onClose={() => setEdited(null)}>
        {edited === null ? null : <Edit user={edited} close={() => setEdited(null)} />}
      </Modal>
    </>
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
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
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
  const { submit, busy, error, wrong } = useSubmit(async () => {
    const body = { email: email.trim(), role, name: name.trim() === "" ? null : name.trim(), departments };
    await answer(api.POST("/api/v1/users/invitations", { body }));
    await client.invalidateQueries({ queryKey: ["invitations"] });
    toast(t("settings.users.invited", { email: email.trim() }));
    close();
  });
  return (
    <form onSubmit={submit}>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      <TextField label={t("signIn.email")} type="email" isRequired autoFocus value={email} onChange={setEmail} wrong={wrong.get("email")} />
      <TextField label={t("profile.name")} value={name} onChange={setName} wrong={wrong.get("name")} />
      <Select label={t("settings.users.role")} options={roles} value={role} onChange={setRole} wrong={wrong.get("role")} />
      <DepartmentsField value={departments} onChange={setDepartments} wrong={wrong.get("departments")} />
      <div className="actions">
        <Button onPress={close}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {t("settings.users.send")}
        </Button>
      </div>
    </form>
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
