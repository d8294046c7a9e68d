/** What groups there mean here: lines in order, each a group of theirs, a role and a group of ours. */
import type { MappingRule } from '@kalnet/contracts/federation'
import { useQuery } from '@tanstack/react-query'
import { Plus, X } from 'lucide-react'
import * as m from '../messages/index.ts'
import { groupsQuery } from '../people/queries.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import css from './providers.module.css'

export type MappedRole = NonNullable<MappingRule['role']>
export const MAPPED_ROLES: readonly MappedRole[] = ['admin', 'member', 'child', 'guest']
const WORDS: Record<MappedRole, string> = {
  admin: m.roleAdmin,
  member: m.roleMember,
  child: m.roleChild,
  guest: m.roleGuest,
}
export const roleOptions = MAPPED_ROLES.map((value) => ({ value, label: WORDS[value] }))

/** A line while it is written; `key` keeps its place while others come and go. */
export interface Line {
  key: number
  group: string
  role: string
  groupId: string
}
let keys = 0
export const lineOf = (rule?: MappingRule): Line => {
  keys += 1
  return { key: keys, group: rule?.group ?? '', role: rule?.role ?? '', groupId: rule?.groupId ?? '' }
}
/** Lines without a group there, or that give nothing, are left out. */
export const rulesOf = (lines: readonly Line[]): MappingRule[] =>
  lines.flatMap(({ group, role, groupId }) =>
    group.trim() && (role || groupId)
      ? [
          {
            group: group.trim(),
            ...(role ? { role: role as MappedRole } : {}),
            ...(groupId ? { groupId } : {}),
          },
        ]
      : [],
  )

export function Rules({ lines, onChange }: { lines: Line[]; onChange: (lines: Line[]) => void }) {
  const groups = useQuery(groupsQuery)
  const change = (key: number, part: Partial<Line>) =>
    onChange(lines.map((line) => (line.key === key ? { ...line, ...part } : line)))
  const into = (groups.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))
  return (
    <div className={css.rules}>
      <h3>{m.providerRules}</h3>
      <p className={css.quiet}>{m.providerRulesText}</p>
      {lines.map((line, index) => (
        <fieldset key={line.key} className={css.rule} aria-label={m.providerRuleLine(index + 1)}>
          <Field
            label={m.providerRuleGroup}
            value={line.group}
            onChange={(group) => change(line.key, { group })}
          />
          <IconButton
            label={`${m.providerRuleRemove} (${index + 1})`}
            onPress={() => onChange(lines.filter((it) => it !== line))}
          >
            <X aria-hidden />
          </IconButton>
          <div className={css.gives}>
            <Select
              label={m.providerRuleRole}
              value={line.role}
              options={[{ value: '', label: m.providerRuleNoRole }, ...roleOptions]}
              onChange={(role) => change(line.key, { role })}
            />
            <Select
              label={m.providerRuleInto}
              value={line.groupId}
              options={[{ value: '', label: m.providerRuleNoGroup }, ...into]}
              onChange={(groupId) => change(line.key, { groupId })}
            />
          </div>
        </fieldset>
      ))}
      <div>
        <Button icon={<Plus aria-hidden />} onPress={() => onChange([...lines, lineOf()])}>
          {m.providerRuleAdd}
        </Button>
      </div>
    </div>
  )
}
