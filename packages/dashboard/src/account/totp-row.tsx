/** The authenticator app: set up, moved to another phone, turned off. */
import type { Factors } from '@kalnet/contracts/sign-in'
import { Smartphone } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { useChange } from './queries.ts'
import { Row } from './row.tsx'
import { TotpDialog } from './totp-dialog.tsx'

interface TotpRowProps {
  factors: Factors
  onCodes: (codes: string[]) => void
}
export function TotpRow({ factors: { totp }, onCodes }: TotpRowProps) {
  const [leaving, setLeaving] = useState(false)
  const begin = useChange(() => call(ROUTES.signIn.beginTotp))
  const remove = useChange(() => call(ROUTES.signIn.removeTotp), {
    said: () => m.totpRemoved,
    onDone: () => setLeaving(false),
  })
  const text = totp ? (
    <>
      {m.totpOn} <Ago at={totp.confirmedAt} />
    </>
  ) : (
    m.totpOff
  )
  return (
    <Row
      icon={<Smartphone aria-hidden />}
      title={m.totp}
      text={text}
      actions={
        <>
          <Button isPending={begin.isPending} onPress={() => begin.mutate()}>
            {totp ? m.totpAgain : m.totpSetUp}
          </Button>
          {totp && (
            <Button look="plain" onPress={() => setLeaving(true)}>
              {m.totpRemove}
            </Button>
          )}
        </>
      }
    >
      {begin.data && (
        <TotpDialog
          begun={begin.data}
          onClose={begin.reset}
          onDone={(codes) => {
            begin.reset()
            if (codes) onCodes(codes)
          }}
        />
      )}
      {leaving && (
        <Confirm
          title={m.totpRemoveTitle}
          text={m.totpRemoveText}
          action={m.totpRemove}
          pending={remove.isPending}
          onConfirm={() => remove.mutate()}
          onClose={() => setLeaving(false)}
        />
      )}
    </Row>
  )
}
