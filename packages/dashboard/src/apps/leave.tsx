/** An app signs somebody out: of itself alone, or of Kalnet on this device too. */
import { useMutation } from '@tanstack/react-query'
import { call, ROUTES } from '../api.ts'
import { Door } from '../identity/door.tsx'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import css from './apps.module.css'

export default function Leave() {
  const ask = new URLSearchParams(location.search).get('ask') ?? ''
  const leave = useMutation({
    mutationFn: (everywhere: boolean) => call(ROUTES.apps.leave, { body: { ask, everywhere } }),
    onSuccess: ({ to }) => location.assign(to),
  })
  return (
    <Door title={m.leaveTitle} text={m.leaveText}>
      {leave.error && <ErrorBox problem={leave.error} />}
      <div className={css.buttons}>
        <Button
          look="primary"
          isPending={leave.isPending && leave.variables === true}
          onPress={() => leave.mutate(true)}
        >
          {m.leaveEverywhere}
        </Button>
        <Button isPending={leave.isPending && leave.variables === false} onPress={() => leave.mutate(false)}>
          {m.leaveApp}
        </Button>
      </div>
    </Door>
  )
}
