/** The household asks for a second way: set one up, and everything is as one knows it. Nothing else is shown before. */
import type { Factors } from '@kalnet/contracts/sign-in'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Fingerprint, LogOut, Smartphone } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import account from '../account/account.module.css'
import { CodesDialog } from '../account/codes-dialog.tsx'
import { leaveHere } from '../account/leave-here.ts'
import { AddPasskey, useBeginPasskey } from '../account/passkey-add.tsx'
import { factorsQuery, useChange } from '../account/queries.ts'
import { TotpDialog } from '../account/totp-dialog.tsx'
import { askProof, call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient, useMe } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Button } from '../ui/button.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './door.module.css'
import { Door } from './door.tsx'
import { Note } from './trouble.tsx'
import { browserHasPasskeys } from './use-passkey.ts'

/** Who this is, is asked anew: with a second way proved, the rest opens. */
const goOn = () => void queryClient.invalidateQueries({ queryKey: ['me'] })

interface WayProps {
  icon: ReactNode
  title: string
  text: string
  disabled?: boolean
  onPress: () => void
}
const Way = ({ icon, title, text, disabled, onPress }: WayProps) => (
  <button type="button" className={account.way} disabled={disabled} onClick={onPress}>
    <span className={account.icon}>{icon}</span>
    <strong>{title}</strong>
    <span>{text}</span>
  </button>
)

/** Set up on another device already: it only has to be shown here. */
function ProveIt() {
  const prove = useMutation({ mutationFn: askProof, onSuccess: (proved) => proved && goOn() })
  return (
    <div className={css.form}>
      <Note text={m.unprovedHave} />
      <Button look="primary" wide onPress={() => prove.mutate()}>
        {m.unprovedProve}
      </Button>
    </div>
  )
}

function Ways({ factors }: { factors: Factors }) {
  const [codes, setCodes] = useState<string[] | null>(null)
  const totp = useChange(() => call(ROUTES.signIn.beginTotp))
  const passkey = useBeginPasskey()
  const { passkeysHere } = factors
  const done = (given: string[] | null) => (given ? setCodes(given) : goOn())
  const passkeys = passkeysHere.available && browserHasPasskeys()
  return (
    <div className={account.ways}>
      {passkeys && (
        <Way
          icon={<Fingerprint aria-hidden />}
          title={m.unprovedPasskey}
          text={m.unprovedPasskeyText}
          disabled={passkey.isPending}
          onPress={() => passkey.mutate()}
        />
      )}
      <Way
        icon={<Smartphone aria-hidden />}
        title={m.unprovedTotp}
        text={m.unprovedTotpText}
        disabled={totp.isPending}
        onPress={() => totp.mutate()}
      />
      {totp.data && !codes && <TotpDialog begun={totp.data} onClose={totp.reset} onDone={done} />}
      {passkey.data && !codes && <AddPasskey options={passkey.data} onClose={passkey.reset} onDone={done} />}
      {codes && <CodesDialog codes={codes} onClose={goOn} />}
    </div>
  )
}

export default function Unproved() {
  const me = useMe()
  const { data: factors, error, refetch } = useQuery(factorsQuery)
  const [was, setWas] = useState<boolean | null>(null)
  // Decided once: what is set up here must not turn the page while its codes are shown.
  const has = factors && (factors.totp !== null || factors.passkeys.length > 0)
  if (was === null && has !== undefined) setWas(has)
  const signOut = useMutation({
    mutationFn: () => call(ROUTES.identity.signOut),
    onSuccess: leaveHere,
    onError: tellProblem,
  })
  return (
    <Door title={m.unprovedTitle} text={m.unprovedText(me.organisationName)}>
      {error && !factors && <ErrorBox problem={error} retry={() => void refetch()} />}
      {!factors && !error && <Skeleton height="176px" />}
      {factors && (was ? <ProveIt /> : <Ways factors={factors} />)}
      <Button
        look="plain"
        wide
        icon={<LogOut aria-hidden />}
        isPending={signOut.isPending}
        onPress={() => signOut.mutate()}
      >
        {m.signOut}
      </Button>
    </Door>
  )
}
