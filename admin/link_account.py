"""Links an account on X to a user: prints an address, reads the PIN that X shows there, and stores the sealed tokens.

The owner of the account opens the address, signs in at X and authorizes the app; the user may post from it then.
An account that is linked already gets its new tokens and its current handle. One that is linked to somebody else is
refused without --share: everybody who is linked to an account may post from it.
"""

import argparse

from admin.accounts import known_user
from admin.connection import CommandRefused, Connection, add_user_option, parser_for, run, say
from admin.hasura_api import HasuraUnusable
from admin.x_sign_in import SignedIn, XSignIn

LINK = """
mutation adminLinksAccount($args: link_account_args!) {
  link_account(args: $args) { account_id }
}"""

MOST_PIN_CHARACTERS = 20


def main() -> None:
    given = _options()
    run(given.data, lambda connection: link(connection, given))


def link(connection: Connection, given: argparse.Namespace) -> None:
    """Asks X, reads the PIN, and links the account that it is of. Raises CommandRefused, and then nothing is stored."""
    hasura = connection.hasura
    if not given.create_user:
        known_user(hasura, given.user)
    x = XSignIn(connection.settings)
    request_token = x.request_token()
    say("Open this address as the account to link, authorize the app, and enter the PIN that X shows:")
    say(request_token.url)
    signed_in = x.access_token(request_token, _pin())
    _store(connection, given, signed_in)
    say(f"@{signed_in.handle} (X user {signed_in.x_user_id}) is linked to {given.user}. Its tokens are stored sealed.")


def _pin() -> str:
    print("PIN: ", end="", flush=True)
    try:
        pin = input().strip()
    except EOFError:
        pin = ""
    if not pin:
        raise CommandRefused("No PIN was given. Nothing was stored.")
    if not pin.isascii() or not pin.isalnum() or len(pin) > MOST_PIN_CHARACTERS:
        raise CommandRefused("This is no PIN: X shows some digits. Nothing was stored.")
    return pin


def _store(connection: Connection, given: argparse.Namespace, signed_in: SignedIn) -> None:
    """User, account and link in one transaction, which refuses an account of somebody else unless it is shared."""
    args = {
        "username": given.user,
        "x_user_id": signed_in.x_user_id,
        "account_name": signed_in.handle,
        "sealed_tokens": connection.settings.x_token_keys.seal(signed_in.x_user_id, signed_in.tokens),
        "share": given.share,
    }
    try:
        connection.hasura.graphql(LINK, {"args": args})
    except HasuraUnusable as error:
        if error.code != "data-exception":
            raise
        raise CommandRefused(
            f"{error.sentence} With --share, {given.user} may post from it, too. Nothing was stored."
        ) from error


def _options() -> argparse.Namespace:
    parser = parser_for("link_account", __doc__)
    add_user_option(parser, "whom to link it to")
    parser.add_argument(
        "--create-user", action="store_true", help="create the user when there is none of that name yet"
    )
    parser.add_argument("--share", action="store_true", help="link it although somebody else is linked to it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
