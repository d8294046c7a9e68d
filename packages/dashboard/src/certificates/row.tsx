/** One certificate that was brought or ordered: how it stands, and what can be done with it. */
import type { Certificate } from '@kalnet/contracts/certificate'
import { useMutation } from '@tanstack/react-query'
import { Ban, Ellipsis, Info, RefreshCw, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Ago } from '../ui/ago.tsx'
import { IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { toast } from '../ui/toast.ts'
import css from './certificates.module.css'
import { CertificateBadge, daysLeft, nameOf } from './words.tsx'

const DIALOGS = {
  details: later(() => import('./details.tsx')),
  revoke: later(() => import('./revoke.tsx')),
  remove: later(() => import('./remove.tsx')),
}

function useRenew() {
  return useMutation({
    mutationFn: ({ id }: Certificate) => call(ROUTES.certificates.renew, { params: { id } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['certificates'] })
      toast({ tone: 'good', text: m.certRenewed })
    },
    onError: tellProblem,
  })
}

export function CertificateRow({ certificate: it, manages }: { certificate: Certificate; manages: boolean }) {
  const [open, setOpen] = useState<keyof typeof DIALOGS | null>(null)
  const renew = useRenew()
  const Opened = open && DIALOGS[open]
  const name = nameOf(it)
  const acme = it.source === 'acme'
  return (
    <li className={css.row}>
      <div className={css.words}>
        <strong>{it.names.join(', ')}</strong>
        <span className={css.quiet}>
          {m.hostSources[it.source]}
          {it.issuer && <> · {m.certIssuedBy(it.issuer)}</>}
          {it.notAfter && it.state !== 'revoked' && <> · {m.certLeft(daysLeft(it.notAfter, Date.now()))}</>}
        </span>
        {it.step && <span className={css.quiet}>{m.certSteps[it.step]}…</span>}
        {it.problem && <span className={css.problem}>{it.problem}</span>}
        {it.problem && it.nextAt && (
          <span className={css.quiet}>
            {m.certNext} <Ago at={it.nextAt} />
          </span>
        )}
      </div>
      <CertificateBadge state={it.state} />
      <Menu
        label={m.certActions(name)}
        trigger={
          <IconButton label={m.certActions(name)} isPending={renew.isPending}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          {
            id: 'details',
            label: m.certDetails,
            icon: <Info aria-hidden />,
            onAction: () => setOpen('details'),
          },
          ...(manages && acme && it.state !== 'revoked'
            ? [
                {
                  id: 'renew',
                  label: m.certRenew,
                  icon: <RefreshCw aria-hidden />,
                  onAction: () => renew.mutate(it),
                },
              ]
            : []),
          ...(manages && acme && it.serial && it.state !== 'revoked'
            ? [
                {
                  id: 'revoke',
                  label: m.certRevoke,
                  icon: <Ban aria-hidden />,
                  danger: true,
                  onAction: () => setOpen('revoke'),
                },
              ]
            : []),
          ...(manages
            ? [
                {
                  id: 'remove',
                  label: m.certRemove,
                  icon: <Trash2 aria-hidden />,
                  danger: true,
                  onAction: () => setOpen('remove'),
                },
              ]
            : []),
        ]}
      />
      {Opened && <Opened certificate={it} onClose={() => setOpen(null)} />}
    </li>
  )
}
