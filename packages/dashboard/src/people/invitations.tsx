/** Who is invited and not here yet, with a new link or the way back for each. */
import type { Invitation } from '@kalnet/contracts/invitation'
import type { Role } from '@kalnet/contracts/permission'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Ellipsis, Hourglass, Mail, RotateCw, TimerOff, X } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge } from '../ui/badge.tsx'
import { IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { toast } from '../ui/toast.ts'
import css from './people.module.css'
import { invitationsQuery } from './queries.ts'

const Resend = later(() => import('./resend.tsx'))
const nameOf = ({ email }: Invitation) => email ?? m.invitationAnybody

function Waiting({ invitation, role }: { invitation: Invitation; role: string }) {
  const [sending, setSending] = useState(false)
  const name = nameOf(invitation)
  const revoke = useMutation({
    mutationFn: () => call(ROUTES.invitations.revoke, { params: { id: invitation.id } }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['invitations'] })
      toast({ tone: 'good', text: m.invitationRevoked(name) })
    },
    onError: tellProblem,
  })
  const over = invitation.state === 'expired'
  return (
    <div className={css.row}>
      <span className={`${css.avatar} ${css.letter}`} aria-hidden>
        <Mail />
      </span>
      <span className={css.who}>
        <span className={css.name}>{name}</span>
        <span className={css.quiet}>
          {m.invitationAs(role)} · {over ? m.invitationEnded : m.invitationEnds}{' '}
          <Ago at={invitation.expiresAt} />
        </span>
      </span>
      <span className={css.tags}>
        <Badge
          tone={over ? 'warn' : 'quiet'}
          icon={over ? <TimerOff aria-hidden /> : <Hourglass aria-hidden />}
        >
          {over ? m.invitationExpired : m.invitationOpen}
        </Badge>
      </span>
      <Menu
        label={m.invitationMenu(name)}
        trigger={
          <IconButton label={m.invitationMenu(name)} isPending={revoke.isPending}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          {
            id: 'resend',
            label: m.invitationResend,
            icon: <RotateCw aria-hidden />,
            onAction: () => setSending(true),
          },
          {
            id: 'revoke',
            label: m.invitationRevoke,
            icon: <X aria-hidden />,
            danger: true,
            onAction: () => revoke.mutate(),
          },
        ]}
      />
      {sending && <Resend invitation={invitation} onClose={() => setSending(false)} />}
    </div>
  )
}

export function Invitations({ words }: { words: Record<Role, string> }) {
  const { data } = useQuery(invitationsQuery)
  const waiting = data?.items.filter(({ state }) => state === 'open' || state === 'expired') ?? []
  if (waiting.length === 0) return null
  return (
    <section className={css.section}>
      <h2>{m.invitationsTitle}</h2>
      <ul className={css.card}>
        {waiting.map((invitation) => (
          <li key={invitation.id}>
            <Waiting invitation={invitation} role={words[invitation.role]} />
          </li>
        ))}
      </ul>
    </section>
  )
}
