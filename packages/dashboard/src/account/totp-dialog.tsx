/** Setting up an authenticator app: scan or type, then a code proves that it works. */

import type { AnswerOf } from '@kalnet/contracts/route'
import type { ROUTES as Contracts } from '@kalnet/contracts/routes'
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { CodeForm } from '../identity/code-form.tsx'
import { Trouble } from '../identity/trouble.tsx'
import { useWait } from '../identity/use-wait.ts'
import * as m from '../messages/index.ts'
import { Dialog } from '../ui/dialog.tsx'
import { later } from '../ui/later.tsx'
import { CopyButton, Skeleton } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './account.module.css'
import { askAnew } from './queries.ts'

const QrCode = later(() => import('../ui/qr-code.tsx'), <Skeleton height="220px" />)

export type Begun = AnswerOf<(typeof Contracts)['signIn']['beginTotp']>
interface TotpDialogProps {
  begun: Begun
  onClose: () => void
  /** With codes when it is the first second way. */
  onDone: (codes: string[] | null) => void
}

const inFours = (secret: string) => secret.match(/.{1,4}/g)?.join(' ') ?? secret

export function TotpDialog({ begun, onClose, onDone }: TotpDialogProps) {
  const confirm = useMutation({
    mutationFn: (code: string) => call(ROUTES.signIn.confirmTotp, { body: { code } }),
    onSuccess: ({ recoveryCodes }) => {
      void askAnew()
      // Recovery codes say it themselves, and nothing may cover them.
      if (!recoveryCodes) toast({ tone: 'good', text: m.totpDone })
      onDone(recoveryCodes)
    },
  })
  const wait = useWait(confirm.error)
  return (
    <Dialog title={m.totpTitle} onClose={onClose}>
      <div className={css.steps}>
        <p>{m.totpScan}</p>
        <p>{m.totpScanNoApp}</p>
        <div className={css.qr}>
          <QrCode code={begun.qr} label={m.totpPicture} />
        </div>
        <a className={css.open} href={begun.uri}>
          {m.totpOpen}
        </a>
        <div className={css.secret}>
          <span>{m.totpTyped}</span>
          <code data-secret>{inFours(begun.secret)}</code>
          <CopyButton text={begun.secret} label={m.totpCopySecret} />
        </div>
        <p>{m.totpConfirm}</p>
        <Trouble
          problem={confirm.error}
          wait={wait}
          words={{ 'second-factor.wrong': [m.totpWrong, m.totpWrongNext] }}
        />
        <CodeForm
          kind="totp"
          wrong={confirm.error}
          pending={confirm.isPending}
          waiting={Boolean(wait)}
          action={m.totpConfirmAction}
          onCode={(code) => confirm.mutate(code)}
        />
      </div>
    </Dialog>
  )
}
