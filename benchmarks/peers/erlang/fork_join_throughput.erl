%% One driver sends to many processes in turn, then asks each for its total.
-module(fork_join_throughput).
-export([start/0]).

-define(COUNTERS, 60).

start() ->
    Each = stage:scaled(200000),
    stage:start_clock(?COUNTERS * Each),
    Counters = [spawn_link(fun() -> count(0) end) || _ <- lists:seq(1, ?COUNTERS)],
    spawn_link(fun() -> drive(Counters, Counters, 0, Each) end).

count(Count) ->
    receive
        {number, Number} ->
            Number = Count,
            count(Count + 1);
        {get_total, From} ->
            From ! {total, Count}
    end.

drive(_Next, Counters, Each, Each) ->
    [Counter ! {get_total, self()} || Counter <- Counters],
    [receive {total, Total} -> Total = Each end || _ <- Counters],
    stage:finish();
drive(Next, Counters, Number, Each) ->
    {Rest, Reached} = send_some(stage:sends_per_turn(), Next, Counters, Number, Each),
    self() ! drive,
    receive drive -> drive(Rest, Counters, Reached, Each) end.

%% Next are those that have not got Number yet.
send_some(0, Next, _Counters, Number, _Each) -> {Next, Number};
send_some(_Left, Next, _Counters, Each, Each) -> {Next, Each};
send_some(Left, [], Counters, Number, Each) ->
    send_some(Left, Counters, Counters, Number + 1, Each);
send_some(Left, [Counter | Next], Counters, Number, Each) ->
    Counter ! {number, Number},
    send_some(Left - 1, Next, Counters, Number, Each).
