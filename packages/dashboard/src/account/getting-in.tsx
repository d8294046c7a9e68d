/** How I get in: password, authenticator app, passkeys, recovery codes, and how well that guards the account. */
import type { Factors } from '@kalnet/contracts/sign-in'
import { useQuery } from '@tanstack/react-query'
import { Info, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { Card, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './account.module.css'
import { CodesDialog } from './codes-dialog.tsx'
import { PasskeysRow } from './passkeys-row.tsx'
import { PasswordRow } from './password-row.tsx'
import { factorsQuery } from './queries.ts'
import { RecoveryRow } from './recovery-row.tsx'
import { TotpRow } from './totp-row.tsx'

function Standing({ factors }: { factors: Factors }) {
  const guarded = factors.totp !== null || factors.passkeys.length > 0
  if (!guarded) {
    return (
      <p className={css.plain}>
        <Info aria-hidden />
        {m.doorOne}
      </p>
    )
  }
  return (
    <p className={css.good}>
      <ShieldCheck aria-hidden />
      {factors.passkeys.length > 0 ? m.doorPasskey : m.doorTwo}
    </p>
  )
}

export function GettingIn() {
  const { data: factors, error, refetch } = useQuery(factorsQuery)
  const [codes, setCodes] = useState<string[] | null>(null)
  return (
    <Card label={m.doorTitle}>
      <div className={css.card}>
        <h2>{m.doorTitle}</h2>
        {error && !factors && <ErrorBox problem={error} retry={() => void refetch()} />}
        {!factors && !error && <Skeleton height="280px" />}
        {factors && (
          <>
            <Standing factors={factors} />
            <div className={css.rows}>
              <PasswordRow has={factors.password} />
              <PasskeysRow factors={factors} onCodes={setCodes} />
              <TotpRow factors={factors} onCodes={setCodes} />
              <RecoveryRow factors={factors} onCodes={setCodes} />
            </div>
          </>
        )}
      </div>
      {codes && <CodesDialog codes={codes} onClose={() => setCodes(null)} />}
    </Card>
  )
}
