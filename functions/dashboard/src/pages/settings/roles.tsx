import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMay, useMe } from "../../session";
import { useTitle } from "../../shell/title";
import { Badge, Button, Card, CheckBox, PageHead, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { ActionCell, AddButton, EditForm, EditModal, ListTable, useEditing } from "../../ui/edit";
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
  const editing = useEditing<Role>();
  const roleName = useRoleName();
  const named = ({ id, name }: Role) => roleName(id, name);
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("roles.title")}>
        {may ? <AddButton label={t("roles.add")} onPress={editing.add} /> : null}
      </PageHead>
      <Card flush>
        <Asked query={roles}>
          {({ items }) => (
            <ListTable label={t("roles.title")} heads={[t("settings.users.role"), t("roles.permissions")]} actions>
              {items.map((role) => (
                <tr key={role.id}>
                  <td>
                    <span className="strong">{named(role)}</span> {role.builtin ? <Badge>{t("roles.builtin")}</Badge> : null}
                  </td>
                  <td className="muted">{t("roles.count", { count: role.permissions.length })}</td>
                  <ActionCell label={t(role.builtin || !may ? "roles.show" : "common.edit")} of={named(role)} onPress={() => editing.edit(role)} />
                </tr>
              ))}
            </ListTable>
          )}
        </Asked>
      </Card>
      <EditModal editing={editing} add={t("roles.add")} name={named}>
        {(role) => (role !== null && (role.builtin || !may) ? <FixedRole role={role} close={editing.close} /> : <RoleForm role={role} close={editing.close} />)}
      </EditModal>
    </main>
  );
}

/** What is looked at only. */
function FixedRole({ role, close }: { role: Role; close: () => void }) {
  const { t } = useTranslation();
  return (
    <>
      <p className="muted">{t(role.builtin ? "roles.builtinText" : "error.forbidden.text")}</p>
      <PermissionTable permissions={new Set(role.permissions)} change={null} />
      <div className="actions">
        <Button onPress={close}>{t("common.close")}</Button>
      </div>
    </>
  );
}

function RoleForm({ role, close }: { role: Role | null; close: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(role?.name ?? "");
  const [permissions, setPermissions] = useState<ReadonlySet<string>>(new Set(role?.permissions ?? ["calls:read"]));
  const form = useSubmit(async () => {
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
  const remove = async (id: string) => {
    await answer(api.DELETE("/api/v1/roles/{id}", { params: { path: { id } } }));
    await client.invalidateQueries({ queryKey: queries.roles().queryKey });
    close();
  };
  return (
    <EditForm
      form={form}
      ready={permissions.size > 0}
      close={close}
      remove={role && { title: t("agents.removeTitle", { name: role.name }), text: t("roles.removeText"), run: () => remove(role.id) }}
    >
      <TextField label={t("profile.name")} isRequired autoFocus maxLength={100} value={name} onChange={setName} wrong={form.wrong.get("name")} />
      <PermissionTable permissions={permissions} change={setPermissions} />
      {form.wrong.has("permissions") ? <span className="wrong">{form.wrong.get("permissions")}</span> : null}
    </EditForm>
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
    <ListTable label={t("roles.permissions")} heads={[t("roles.about"), t("roles.see"), t("roles.change")]}>
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
    </ListTable>
  );
}
