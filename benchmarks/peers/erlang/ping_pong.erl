%% Two processes exchange messages, one at a time.
-module(ping_pong).
-export([start/0]).

start() ->
    Messages = stage:start_clock(stage:scaled(2000000)),
    Ann = spawn_link(fun() -> play(1, Messages) end),
    Bob = spawn_link(fun() -> play(2, Messages) end),
    Ann ! {ball, Bob, 1}.

play(Next, Last) ->
    receive
        {ball, _From, Number} when Number =:= Next, Number =:= Last ->
            stage:finish();
        {ball, From, Number} ->
            Number = Next,
            From ! {ball, self(), Number + 1},
            play(Next + 2, Last)
    end.
