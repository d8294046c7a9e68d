/** Data: apps whose return addresses are known, by their manuals. */
import * as m from '../messages/index.ts'

export interface Preset {
  id: string
  name: string
  more: string
  /** From the app's own address to what it is registered with; null: the person writes the return address. */
  addresses: ((app: string) => { redirect: string; logout: string | null; leave: string | null }) | null
}
export const PRESETS: readonly Preset[] = [
  { id: 'other', name: m.appPresetOther, more: m.appPresetOtherMore, addresses: null },
  {
    // element-hq.github.io/synapse, "OpenID Connect"
    id: 'synapse',
    name: 'Synapse',
    more: m.appPresetSynapseMore,
    addresses: (app) => ({
      redirect: `${app}/_synapse/client/oidc/callback`,
      logout: `${app}/_synapse/client/oidc/backchannel_logout`,
      leave: null,
    }),
  },
  {
    // docs.gitea.com, "OAuth2 provider"; the source must be called kalnet there
    id: 'gitea',
    name: 'Gitea',
    more: m.appPresetGiteaMore,
    addresses: (app) => ({ redirect: `${app}/user/oauth2/kalnet/callback`, logout: null, leave: app }),
  },
  {
    // github.com/nextcloud/user_oidc; the provider must be called kalnet there
    id: 'nextcloud',
    name: 'Nextcloud',
    more: m.appPresetNextcloudMore,
    addresses: (app) => ({
      redirect: `${app}/apps/user_oidc/code`,
      logout: `${app}/apps/user_oidc/backchannel-logout/kalnet`,
      leave: app,
    }),
  },
]
