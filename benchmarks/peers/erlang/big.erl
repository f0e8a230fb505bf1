%% Many processes send pings to others at random, one at a time, and answer those
%% that they get.
%%
%% rand:mwc59/1 is the generator of the standard library for speed.
-module(big).
-export([start/0]).

-define(PEERS, 120).

start() ->
    Each = stage:scaled(20000),
    stage:start_clock(2 * ?PEERS * Each),
    Referee = spawn_link(fun() -> await(?PEERS, Each) end),
    Peers = [spawn_link(fun() -> peer(Referee, Index, Each) end)
             || Index <- lists:seq(1, ?PEERS)],
    Crowd = list_to_tuple(Peers),
    [Peer ! {start, Crowd} || Peer <- Peers].

await(0, _Each) -> stage:finish();
await(Left, Each) ->
    receive
        {done, Pongs} ->
            Pongs = Each,
            await(Left - 1, Each)
    end.

%% Answers also before it starts.
peer(Referee, Index, Each) ->
    receive
        {ping, From, Number} ->
            From ! {pong, Number},
            peer(Referee, Index, Each);
        {start, Crowd} ->
            send_ping(Crowd, Index, 0, Each, Referee, rand:mwc59_seed(Index))
    end.

send_ping(Crowd, Index, Pongs, Each, Referee, Random) ->
    %% Any but this one.
    Other = 1 + Random rem (?PEERS - 1),
    To = element(case Other < Index of true -> Other; false -> Other + 1 end, Crowd),
    To ! {ping, self(), Pongs},
    play(Crowd, Index, Pongs, Each, Referee, rand:mwc59(Random)).

play(Crowd, Index, Pongs, Each, Referee, Random) ->
    receive
        {ping, From, Number} ->
            From ! {pong, Number},
            play(Crowd, Index, Pongs, Each, Referee, Random);
        {pong, Number} ->
            Number = Pongs,
            case Pongs + 1 of
                Each ->
                    Referee ! {done, Each},
                    play(Crowd, Index, Each, Each, Referee, Random);
                Fewer ->
                    send_ping(Crowd, Index, Fewer, Each, Referee, Random)
            end
    end.
