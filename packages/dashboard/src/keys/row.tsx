/** One key in a list: what it is for, what it may, until when, when it was last used. */
import type { ServiceKey } from '@kalnet/contracts/key'
import { Copy, EllipsisVertical, KeyRound, RefreshCw, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { moment } from '../format.ts'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge } from '../ui/badge.tsx'
import { IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { mayWords, SCOPE_WORDS, stateOf } from './choices.ts'
import css from './keys.module.css'

const DIALOGS = { rotate: later(() => import('./rotate.tsx')), revoke: later(() => import('./revoke.tsx')) }

function State({ of }: { of: ServiceKey }) {
  const state = stateOf(of, Date.now())
  if (state === 'over') return <Badge tone="bad">{m.keyExpired}</Badge>
  if (state === 'soon') return <Badge tone="warn">{m.keySoon}</Badge>
  if (state === 'two')
    return (
      <Badge tone="info" icon={<Copy aria-hidden />}>
        <span title={m.keyTwoUntil(moment(of.overlapUntil ?? ''))}>{m.keyTwo}</span>
      </Badge>
    )
  return null
}

export function KeyRow({ of }: { of: ServiceKey }) {
  const [open, setOpen] = useState<keyof typeof DIALOGS | null>(null)
  const Opened = open && DIALOGS[open]
  return (
    <div className={css.row}>
      <span className={css.picture}>
        <KeyRound aria-hidden />
      </span>
      <div className={css.what}>
        <span className={css.name}>
          {of.name} <State of={of} />
        </span>
        <span className={css.quiet} title={of.scopes.map((it) => SCOPE_WORDS[it]).join('\n')}>
          {mayWords(of.scopes)}
        </span>
        <code className={css.begins}>{of.begins}…</code>
      </div>
      <dl className={css.facts}>
        <dt>{m.keyEnds}</dt>
        <dd>{of.expiresAt ? moment(of.expiresAt) : m.keyEndsNever}</dd>
        <dt>{m.keyUsed}</dt>
        <dd>
          {of.lastUsedAt ? <Ago at={of.lastUsedAt} /> : m.keyUsedNever}
          {of.lastUsedAddress && <span className={css.quiet}> {m.keyUsedFrom(of.lastUsedAddress)}</span>}
        </dd>
      </dl>
      <Menu
        label={m.keyActs(of.name)}
        trigger={
          <IconButton label={m.keyActs(of.name)}>
            <EllipsisVertical aria-hidden />
          </IconButton>
        }
        actions={[
          {
            id: 'rotate',
            label: m.keyRotate,
            icon: <RefreshCw aria-hidden />,
            onAction: () => setOpen('rotate'),
          },
          {
            id: 'revoke',
            label: m.keyRevoke,
            icon: <Trash2 aria-hidden />,
            danger: true,
            onAction: () => setOpen('revoke'),
          },
        ]}
      />
      {Opened && <Opened of={of} onClose={() => setOpen(null)} />}
    </div>
  )
}
