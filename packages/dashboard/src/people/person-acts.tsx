/** What may be done to a person, each with a sentence, and the dialogs it opens. What the rules forbid is not offered. */
import type { PersonDetails } from '@kalnet/contracts/people'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import * as m from '../messages/index.ts'
import { useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Card } from '../ui/parts.tsx'
import { switchPerson } from './actions.ts'
import css from './people.module.css'

const DIALOGS = {
  rename: later(() => import('./rename.tsx')),
  role: later(() => import('./change-role.tsx')),
  groups: later(() => import('./change-groups.tsx')),
  signOut: later(() => import('./sign-out.tsx')),
  reset: later(() => import('./reset-link.tsx')),
  remove: later(() => import('./remove.tsx')),
}

function Act({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <div className={css.act}>
      <div>
        <strong>{title}</strong>
        {text && <span className={css.quiet}>{text}</span>}
      </div>
      {children}
    </div>
  )
}

export function PersonActs({ person }: { person: PersonDetails }) {
  const me = useMe()
  const [open, setOpen] = useState<keyof typeof DIALOGS | null>(null)
  const turn = useMutation({ mutationFn: () => switchPerson(person) })
  const Opened = open && DIALOGS[open]
  const self = person.id === me.id
  const human = person.kind === 'person'
  if (person.role === 'owner' && me.role !== 'owner')
    return (
      <Card label={m.personAccess}>
        <p className={css.quiet}>{m.personIsOwner}</p>
      </Card>
    )
  const off = person.state === 'off'
  return (
    <Card label={m.personAccess}>
      <h2>{m.personAccess}</h2>
      {self && <p className={css.quiet}>{m.personIsSelf}</p>}
      <div className={css.acts}>
        <Act title={m.personName} text={person.name}>
          <Button onPress={() => setOpen('rename')}>{m.personRename}</Button>
        </Act>
        <Act
          title={m.personGroups}
          text={person.groups.map(({ name }) => name).join(', ') || m.personNoGroups}
        >
          <Button onPress={() => setOpen('groups')}>{m.personChangeGroups}</Button>
        </Act>
        {!self && (
          <Act title={m.personRole} text={m.personChangeRoleText}>
            <Button onPress={() => setOpen('role')}>{m.personChangeRole}</Button>
          </Act>
        )}
        {human && !self && !off && (
          <Act title={m.resetLink} text={m.resetLinkText}>
            <Button onPress={() => setOpen('reset')}>{m.resetLinkMake}</Button>
          </Act>
        )}
        {human && !self && person.devices > 0 && (
          <Act title={m.signOutEverywhere} text={m.signOutEverywhereText}>
            <Button onPress={() => setOpen('signOut')}>{m.signOut}</Button>
          </Act>
        )}
        {!self && (
          <>
            <Act title={off ? m.switchOn : m.switchOff} text={off ? undefined : m.switchOffText}>
              <Button isPending={turn.isPending} onPress={() => turn.mutate()}>
                {off ? m.switchOn : m.switchOff}
              </Button>
            </Act>
            <Act title={m.removePerson} text={m.removePersonText}>
              <Button look="danger" onPress={() => setOpen('remove')}>
                {m.removePerson}
              </Button>
            </Act>
          </>
        )}
      </div>
      {Opened && <Opened person={person} onClose={() => setOpen(null)} />}
    </Card>
  )
}
