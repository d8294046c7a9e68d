/** One program with its keys, and what can be done with it. */
import type { ServiceAccount } from '@kalnet/contracts/key'
import { useMutation } from '@tanstack/react-query'
import { Bot, CircleSlash, EllipsisVertical, Plus, Power, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { useRoleWords } from '../people/queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Badge } from '../ui/badge.tsx'
import { IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { toast } from '../ui/toast.ts'
import css from './keys.module.css'
import { lookAgain } from './queries.ts'
import { KeyRow } from './row.tsx'

const DIALOGS = {
  make: later(() => import('./make.tsx')),
  remove: later(() => import('./remove-program.tsx')),
}

export function ProgramCard({ account }: { account: ServiceAccount }) {
  const words = useRoleWords()
  const [open, setOpen] = useState<keyof typeof DIALOGS | null>(null)
  const Opened = open && DIALOGS[open]
  const off = account.state === 'off'
  const change = useMutation({
    mutationFn: () =>
      call(ROUTES.keys.changeAccount, {
        params: { id: account.id },
        body: { state: off ? 'active' : 'off' },
      }),
    onSuccess: async () => {
      await lookAgain()
      toast({ tone: 'good', text: m.programSwitched(account.name, off) })
    },
    onError: tellProblem,
  })
  return (
    <div className={css.card}>
      <div className={css.program}>
        <span className={css.picture}>
          <Bot aria-hidden />
        </span>
        <div className={css.what}>
          <h3 className={css.name}>
            {account.name}
            {off && (
              <Badge tone="warn" icon={<CircleSlash aria-hidden />}>
                {m.programOff}
              </Badge>
            )}
          </h3>
          <span className={css.quiet}>{words[account.role]}</span>
        </div>
        <Menu
          label={m.programActs(account.name)}
          trigger={
            <IconButton label={m.programActs(account.name)}>
              <EllipsisVertical aria-hidden />
            </IconButton>
          }
          actions={[
            { id: 'make', label: m.keyMake, icon: <Plus aria-hidden />, onAction: () => setOpen('make') },
            {
              id: 'switch',
              label: off ? m.programSwitchOn : m.programSwitchOff,
              icon: <Power aria-hidden />,
              onAction: () => change.mutate(),
            },
            {
              id: 'remove',
              label: m.programRemove,
              icon: <Trash2 aria-hidden />,
              danger: true,
              onAction: () => setOpen('remove'),
            },
          ]}
        />
      </div>
      {account.keys.length === 0 && <p className={css.none}>{m.programNoKeys}</p>}
      {account.keys.map((key) => (
        <KeyRow key={key.id} of={key} />
      ))}
      {Opened && <Opened account={account} onClose={() => setOpen(null)} />}
    </div>
  )
}
