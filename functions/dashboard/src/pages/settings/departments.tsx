import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FolderTree, Pencil, Plus } from "lucide-react";
import { useState } from "react";
import { answer, api, type Schema } from "../../api/client";
import { queries } from "../../api/queries";
import { useTranslation } from "../../i18n";
import { useMayEverywhere } from "../../session";
import { useTitle } from "../../shell/title";
import { Card, Empty, IconButton, PageHead, Select, TextField } from "../../ui";
import { Asked } from "../../ui/asked";
import { AddButton, EditForm, EditModal, useEditing } from "../../ui/edit";
import { useSubmit } from "../../ui/submit";
import { toast } from "../../ui/toast";
import { below, type Branch, flat, tree } from "./tree";

type Department = Schema["Department"];
/** What is to be made, as a part of another one. */
type Below = { under: string };

/** The parts of the organisation, each below what it is a part of. */
export function Departments() {
  const { t } = useTranslation();
  useTitle(t("departments.title"));
  const may = useMayEverywhere("departments:write");
  const departments = useQuery(queries.departments());
  const editing = useEditing<Department | Below>();
  const items = departments.data?.items ?? [];
  return (
    <main className="page narrow" id="main">
      <PageHead title={t("departments.title")}>
        {may ? <AddButton label={t("departments.add")} onPress={editing.add} /> : null}
      </PageHead>
      <Card>
        <Asked
          query={departments}
          lines={4}
          within="card"
          empty={
            <Empty icon={<FolderTree aria-hidden="true" />} title={t("departments.none")}>
              {t("departments.noneText")}
            </Empty>
          }
        >
          {() => <Branches branches={tree(items)} may={may} open={editing.edit} label={t("departments.title")} />}
        </Asked>
      </Card>
      <EditModal editing={editing} add={t("departments.add")} name={(one) => ("id" in one ? one.name : t("departments.add"))}>
        {(one) => (
          <DepartmentForm
            all={items}
            department={one !== null && "id" in one ? one : null}
            under={one !== null && "under" in one ? one.under : null}
            close={editing.close}
          />
        )}
      </EditModal>
    </main>
  );
}

type BranchesProps = { branches: Branch<Department>[]; may: boolean; open: (what: Department | Below) => void; label?: string };

function Branches({ branches, may, open, label }: BranchesProps) {
  const { t } = useTranslation();
  return (
    <ul className="branches" {...(label === undefined ? {} : { "aria-label": label })}>
      {branches.map(({ node, children }) => (
        <li key={node.id}>
          <div className="branch">
            <span className="strong clip">{node.name}</span>
            {may ? (
              <span className="actions">
                <IconButton name={`${t("departments.addBelow")}: ${node.name}`} onPress={() => open({ under: node.id })}>
                  <Plus aria-hidden="true" />
                </IconButton>
                <IconButton name={`${t("common.edit")}: ${node.name}`} onPress={() => open(node)}>
                  <Pencil aria-hidden="true" />
                </IconButton>
              </span>
            ) : null}
          </div>
          {children.length === 0 ? null : <Branches branches={children} may={may} open={open} />}
        </li>
      ))}
    </ul>
  );
}

type FormProps = { all: Department[]; department: Department | null; under: string | null; close: () => void };

function DepartmentForm({ all, department, under, close }: FormProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(department?.name ?? "");
  const [parent, setParent] = useState((department === null ? under : department.parent_id) ?? "");
  // Neither itself nor what is below it: the API refuses a ring all the same.
  const forbidden = department === null ? new Set<string>() : below(all, department.id);
  const places = flat(tree(all)).filter(({ node }) => !forbidden.has(node.id));
  const options = [{ id: "", label: t("departments.top") }, ...places.map(({ path, node }) => ({ id: node.id, label: path.join(" › ") }))];
  const form = useSubmit(async () => {
    const body = { name: name.trim(), parent_id: parent === "" ? null : parent };
    await answer(
      department === null
        ? api.POST("/api/v1/departments", { body })
        : api.PUT("/api/v1/departments/{id}", {
            params: { path: { id: department.id } },
            headers: { "if-match": `"${department.version}"` },
            body,
          }),
    );
    await client.invalidateQueries({ queryKey: queries.departments().queryKey });
    toast(t("common.saved"));
    close();
  });
  const remove = async (id: string) => {
    await answer(api.DELETE("/api/v1/departments/{id}", { params: { path: { id } } }));
    await client.invalidateQueries({ queryKey: queries.departments().queryKey });
    close();
  };
  return (
    <EditForm
      form={form}
      close={close}
      remove={
        department && { title: t("agents.removeTitle", { name: department.name }), text: t("departments.removeText"), run: () => remove(department.id) }
      }
    >
      <TextField label={t("profile.name")} isRequired autoFocus maxLength={100} value={name} onChange={setName} wrong={form.wrong.get("name")} />
      <Select label={t("departments.partOf")} options={options} value={parent} onChange={setParent} wrong={form.wrong.get("parent_id")} />
    </EditForm>
  );
}
