/** Recovery codes: how many are left, and new ones. */
import type { Factors } from '@kalnet/contracts/sign-in'
import { LifeBuoy } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { useChange } from './queries.ts'
import { Row } from './row.tsx'

interface RecoveryRowProps {
  factors: Factors
  onCodes: (codes: string[]) => void
}
export function RecoveryRow({ factors: { recovery }, onCodes }: RecoveryRowProps) {
  const [asking, setAsking] = useState(false)
  const renew = useChange(() => call(ROUTES.signIn.renewRecoveryCodes), {
    onDone: ({ recoveryCodes }) => {
      setAsking(false)
      onCodes(recoveryCodes)
    },
  })
  return (
    <Row
      icon={<LifeBuoy aria-hidden />}
      title={m.recovery}
      text={recovery ? m.recoveryLeft(recovery.left, recovery.of) : m.recoveryNone}
      actions={recovery && <Button onPress={() => setAsking(true)}>{m.recoveryNew}</Button>}
    >
      {asking && (
        <Confirm
          title={m.recoveryNewTitle}
          text={m.recoveryNewText}
          action={m.recoveryNewAction}
          pending={renew.isPending}
          onConfirm={() => renew.mutate()}
          onClose={() => setAsking(false)}
        />
      )}
    </Row>
  )
}
