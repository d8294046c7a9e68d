/** Who may use an app or pass to an address: roles, groups, or everybody. */
import type { Allowed } from '@kalnet/contracts/app'
import type { Role } from '@kalnet/contracts/permission'
import { useQuery } from '@tanstack/react-query'
import * as m from '../messages/index.ts'
import { groupsQuery, useRoleWords } from '../people/queries.ts'
import { Checks } from '../ui/checks.tsx'
import css from './apps.module.css'

const ROLES: readonly Role[] = ['owner', 'admin', 'member', 'child', 'guest']

export function Who({ value, onChange }: { value: Allowed; onChange: (value: Allowed) => void }) {
  const words = useRoleWords()
  const { data } = useQuery(groupsQuery)
  const groups = data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? []
  return (
    <>
      <Checks
        label={m.appWho}
        value={value.roles}
        options={ROLES.map((role) => ({ value: role, label: words[role] }))}
        onChange={(roles) => onChange({ ...value, roles: roles as Role[] })}
      />
      {groups.length > 0 && (
        <Checks
          label={m.appGroups}
          value={value.groups}
          options={groups}
          onChange={(chosen) => onChange({ ...value, groups: chosen })}
        />
      )}
      <p className={css.quiet}>{m.appWhoHelp}</p>
    </>
  )
}

/** In one line: "Owner, Admin, Grown-ups". */
export function useWhoWords(): (allowed: Allowed) => string {
  const roleWords = useRoleWords()
  const { data } = useQuery(groupsQuery)
  return ({ roles, groups }) => {
    const words = [
      ...ROLES.filter((role) => roles.includes(role)).map((role) => roleWords[role]),
      ...(data?.items ?? []).filter(({ id }) => groups.includes(id)).map(({ name }) => name),
    ]
    return words.length === 0 ? m.appEverybody : words.join(', ')
  }
}
