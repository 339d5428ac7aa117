import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMay, useMe } from "../../session";
import { useTitle } from "../../shell/title";
import { Badge, Button, Card, CheckBox, Confirm, Modal, NoteBar, TableBox, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { explain } from "../../ui/explain";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";
import { useRoleName } from "./role-name";

type Role = Schema["Role"];

/** What there is to allow, by what it is about. What the API knows beside it is shown by its own word. */
const AREAS = ["calls", "messages", "live", "users", "roles", "departments", "agents", "qa", "api_keys", "audit", "config"] as const;
const READ_ONLY: readonly string[] = ["live", "audit"];
const EVERYWHERE = "departments:all";
const KNOWN = new Set([...AREAS.flatMap((area) => [`${area}:read`, `${area}:write`]), EVERYWHERE]);

/** What people may do: the roles that every organisation has, and its own. */
export function Roles() {
  const { t } = useTranslation();
  useTitle(t("roles.title"));
  const may = useMay("roles:write");
  const roles = useQuery(queries.roles());
  const [open, setOpen] = useState<Role | "new" | null>(null);
  const roleName = useRoleName();
  const named = ({ id, name }: Role) => roleName(id, name);
  return (
    <main className="page narrow" id="main">
      <div className="page-head">
        <h1>{t("roles.title")}</h1>
        <span className="grow" />
        {may ? (
          <Button kind="primary" icon={<Plus aria-hidden="true" />} onPress={() => setOpen("new")}>
            {t("roles.add")}
          </Button>
        ) : null}
      </div>
      <Card flush>
        <Asked query={roles}>
          {({ items }) => (
            <TableBox label={t("roles.title")}>
              <thead>
                <tr>
                  <th scope="col">{t("settings.users.role")}</th>
                  <th scope="col">{t("roles.permissions")}</th>
                  <th scope="col">
                    <span className="visually-hidden">{t("common.actions")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {items.map((role) => (
                  <tr key={role.id}>
                    <td>
                      <span className="strong">{named(role)}</span> {role.builtin ? <Badge>{t("roles.builtin")}</Badge> : null}
                    </td>
                    <td className="muted">{t("roles.count", { count: role.permissions.length })}</td>
                    <td className="tight">
                      <Button kind="quiet" aria-label={`${t(role.builtin || !may ? "roles.show" : "common.edit")}: ${named(role)}`} onPress={() => setOpen(role)}>
                        {t(role.builtin || !may ? "roles.show" : "common.edit")}
                      </Button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </TableBox>
          )}
        </Asked>
      </Card>
      <Modal title={open === null || open === "new" ? t("roles.add") : named(open)} open={open !== null} onClose={() => setOpen(null)}>
        {open === null ? null : <RoleForm role={open === "new" ? null : open} may={may} close={() => setOpen(null)} />}
      </Modal>
    </main>
  );
}

function RoleForm({ role, may, close }: { role: Role | null; may: boolean; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(role?.name ?? "");
  const [permissions, setPermissions] = useState<ReadonlySet<string>>(new Set(role?.permissions ?? ["calls:read"]));
  const [removing, setRemoving] = useState(false);
  const fixed = role?.builtin === true || !may;
  const { submit, busy, error, wrong } = useSubmit(async () => {
    const body = { name: name.trim(), permissions: [...permissions] };
    await answer(
      role === null
        ? api.POST("/api/v1/roles", { body })
        : api.PUT("/api/v1/roles/{id}", { params: { path: { id: role.id } }, headers: { "if-match": `"${role.version}"` }, body }),
    );
    await client.invalidateQueries({ queryKey: queries.roles().queryKey });
    toast(t("roles.saved"));
    close();
  });
  const remove = async () => {
    if (role === null) return;
    await answer(api.DELETE("/api/v1/roles/{id}", { params: { path: { id: role.id } } }));
    await client.invalidateQueries({ queryKey: queries.roles().queryKey });
    close();
  };
  return (
    <form onSubmit={submit}>
      {error === null ? null : <NoteBar tone="bad">{explain(t, error).text}</NoteBar>}
      {fixed ? (
        <p className="muted">{t(role?.builtin === true ? "roles.builtinText" : "error.forbidden.text")}</p>
      ) : (
        <TextField label={t("profile.name")} isRequired autoFocus maxLength={100} value={name} onChange={setName} wrong={wrong.get("name")} />
      )}
      <PermissionTable permissions={permissions} change={fixed ? null : setPermissions} />
      {wrong.has("permissions") ? <span className="wrong">{wrong.get("permissions")}</span> : null}
      <div className="actions">
        {role === null || fixed ? null : (
          <Button kind="quiet" onPress={() => setRemoving(true)}>
            {t("numbers.remove")}
          </Button>
        )}
        <Button onPress={close}>{t(fixed ? "common.close" : "common.cancel")}</Button>
        {fixed ? null : (
          <Button type="submit" kind="primary" busy={busy} isDisabled={permissions.size === 0}>
            {t("common.save")}
          </Button>
        )}
      </div>
      {role === null ? null : (
        <Confirm
          title={t("agents.removeTitle", { name: role.name })}
          text={t("roles.removeText")}
          action={t("numbers.remove")}
          open={removing}
          onClose={() => setRemoving(false)}
          onConfirm={remove}
        />
      )}
    </form>
  );
}

type TableProps = { permissions: ReadonlySet<string>; change: ((permissions: ReadonlySet<string>) => void) | null };

/** What may be seen and what changed. Nobody gives what they do not have themselves. */
function PermissionTable({ permissions, change }: TableProps) {
  const { t } = useTranslation();
  const me = useMe();
  const box = (word: string, name: string) => (
    <CheckBox
      aria-label={name}
      isSelected={permissions.has(word)}
      isDisabled={change === null || !me.permissions.includes(word)}
      onChange={(on) => {
        const next = new Set(permissions);
        if (on) next.add(word);
        else next.delete(word);
        change?.(next);
      }}
    >
      {null}
    </CheckBox>
  );
  const others = [...permissions].filter((word) => !KNOWN.has(word));
  return (
    <TableBox label={t("roles.permissions")}>
      <thead>
        <tr>
          <th scope="col">{t("roles.about")}</th>
          <th scope="col">{t("roles.see")}</th>
          <th scope="col">{t("roles.change")}</th>
        </tr>
      </thead>
      <tbody>
        {AREAS.map((area) => {
          const name = t(`roles.area.${area}`);
          return (
            <tr key={area}>
              <th scope="row" className="wrap">
                {name}
              </th>
              <td className="tight">{box(`${area}:read`, `${t("roles.see")}: ${name}`)}</td>
              <td className="tight">{READ_ONLY.includes(area) ? null : box(`${area}:write`, `${t("roles.change")}: ${name}`)}</td>
            </tr>
          );
        })}
        <tr>
          <th scope="row" className="wrap">
            {t("roles.everywhere")}
          </th>
          <td className="tight">{box(EVERYWHERE, `${t("roles.see")}: ${t("roles.everywhere")}`)}</td>
          <td />
        </tr>
        {others.map((word) => (
          <tr key={word}>
            <th scope="row">
              <code>{word}</code>
            </th>
            <td className="tight">{box(word, word)}</td>
            <td />
          </tr>
        ))}
      </tbody>
    </TableBox>
  );
}
